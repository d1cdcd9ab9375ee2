#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the CXL layer and print one table, ratios first.

Nothing here judges: figures depend on the machine and on what else runs on
it, ratios of two figures of one run much less. The model's curve is also
drawn, BUILD/bench/model.svg.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys

import bench_plot

SCALES = [10 ** power for power in range(2, 7)]
FEW, MANY = 1000, 1000000

OPERATIONS = {
    'add': 'add one extent (5604h)',
    'accept': 'accept it (4802h)',
    'release': 'release it (4803h)',
    'extent-page': 'page of 50 extents from the k-th on (4801h, 5603h)',
    'tag-page': 'page of 24 tags from the k-th on (5608h)',
    'access': 'may the host touch this line?',
    'translate': 'where on the medium is this line?',
}


class Table:
    """Rows of text under headings."""

    def __init__(self):
        self.rows = []

    def section(self, title):
        self.rows.append(title)

    def add(self, what, ratio, of, figures):
        self.rows.append((what, '' if ratio is None else f'{ratio:.2f}', of,
                          figures))

    def text(self):
        cells = [('what', 'ratio', 'of', 'figures')]
        cells += [row for row in self.rows if isinstance(row, tuple)]
        width = [max(len(row[i]) for row in cells) for i in range(4)]

        def line(row):
            return (f'{row[0]:{width[0]}}  {row[1]:>{width[1]}}  '
                    f'{row[2]:{width[2]}}  {row[3]}').rstrip()
        out = [line(cells[0]), '-' * (sum(width) + 6)]
        for row in self.rows:
            out += [line(row)] if isinstance(row, tuple) else ['', row]
        return '\n'.join(out)


def time_of(ns):
    """A time in a unit that suits it."""
    for unit, size in (('s', 1e9), ('ms', 1e6), ('us', 1e3)):
        if ns >= size:
            return f'{ns / size:.3g} {unit}'
    return f'{ns:.0f} ns'


def run_lines(command):
    """What a program of ours prints: NAME, tab, number, tab, value."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True,
                          encoding='utf-8')
    found = {}
    for row in done.stdout.splitlines():
        name, number, value = row.split('\t')
        found.setdefault(name, {})[int(number)] = float(value)
    return found


def first_line(path, key):
    with open(path, encoding='utf-8') as file:
        for row in file:
            if row.startswith(key):
                return row.split(':', 1)[1].strip()
    return 'unknown'


def machine(qemu):
    """The circumstances, as lines."""
    version = subprocess.run([qemu, '--version'], stdout=subprocess.PIPE,
                             check=True, encoding='utf-8').stdout
    now = datetime.datetime.now(datetime.timezone.utc)
    load = ' '.join(f'{x:.1f}' for x in os.getloadavg())
    return [f'date    {now:%Y-%m-%d %H:%M} UTC',
            f'cpu     {first_line("/proc/cpuinfo", "model name")}, '
            f'{len(os.sched_getaffinity(0))} processors, load {load}',
            f'kernel  {platform.system()} {platform.release()}',
            f'qemu    {version.splitlines()[0]}']


def bench_model(options, table):
    print('== the model, about a minute', file=sys.stderr)
    found = run_lines([os.path.join(
        options.build, 'qemu/tests/bench/cxl/cxl-bench-model')])
    table.section('Model, one operation: with 10^6 extents against 10^3')
    for name, words in OPERATIONS.items():
        row = found[name]
        table.add(words, row[MANY] / row[FEW], '10^6 : 10^3',
                  ', '.join(time_of(row[n]) for n in SCALES) +
                  ' (10^2 .. 10^6)')
    table.section('Model, offer and answer a group (5604h, then 4802h in '
                  'pages): cost per extent')
    for name, words in (('group', 'in an empty region'),
                        ('group-among-a-million', 'among 10^6 extents')):
        row = found[name]
        sizes = sorted(row)
        table.add(words, row[sizes[-1]] / row[FEW], f'{sizes[-1]} : {FEW}',
                  ', '.join(f'{n}: {time_of(row[n])}' for n in sizes))
    table.section('Model, memory and state')
    row = found['bytes-per-extent']
    table.add('memory per extent, hole and tag', row[MANY] / row[FEW],
              '10^6 : 10^3', f'{row[MANY]:.0f} bytes')
    saved = found['saved-bytes']
    table.add('saved bytes per extent and tag',
              saved[MANY] / MANY / (saved[FEW] / FEW), '10^6 : 10^3',
              f'{saved[MANY] / MANY:.1f} bytes')
    for name in ('save', 'load'):
        row = found[name]
        table.add(f'{name} it all, per extent',
                  row[MANY] / MANY / (row[FEW] / FEW), '10^6 : 10^3',
                  f'10^6 in {time_of(row[MANY])}')
    plot = os.path.join(options.build, 'bench', 'model.svg')
    bench_plot.write(plot, 'Dynamic capacity model', 'extents in the device',
                     'nanoseconds per operation',
                     {name: sorted(found[name].items())
                      for name in OPERATIONS})
    print('== plot: ' + plot, file=sys.stderr)


SECTIONS = {
    'model': bench_model,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build', help='build folder')
    parser.add_argument('section', nargs='*', default=list(SECTIONS),
                        metavar='section', help=', '.join(SECTIONS))
    options = parser.parse_args()
    unknown = set(options.section) - set(SECTIONS)
    if unknown:
        parser.error('no such section: ' + ', '.join(sorted(unknown)))
    options.build = os.path.abspath(options.build)
    options.qemu = os.path.join(options.build, 'qemu', 'qemu-system-x86_64')
    os.makedirs(os.path.join(options.build, 'bench'), exist_ok=True)
    table = Table()
    lines = machine(options.qemu)
    for name in options.section:
        SECTIONS[name](options, table)
    text = '\n'.join(lines + ['', table.text()])
    print(text)
    path = os.path.join(options.build, 'bench', 'results.txt')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text + '\n')


if __name__ == '__main__':
    main()
