#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the CXL layer and print one table, ratios first.

Nothing here judges: figures depend on the machine and on what else runs on
it, ratios of two figures of one run much less. The model's curve is also
drawn, BUILD/bench/model.svg.
"""

import argparse
import contextlib
import datetime
import os
import platform
import subprocess
import sys

import bench_machine
import bench_plot

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'tests', 'tools'))
import fm_machine   # noqa: E402, found by the line above

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
        self.rows.append((what, '' if ratio is None else f'{ratio:.3g}', of,
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


def rate(ns):
    return f'{time_of(ns)}, {1e9 / ns:,.0f} per second'


def fill(machine, program, count):
    """Accepted extents, none beside another."""
    size = fm_machine.BLOCK
    for n in range(count):
        place = f'{fm_machine.DC_BASE + 2 * n * size:#x}+{size:#x}'
        subprocess.run([program, '--connect', machine.urls[0], 'add',
                        '--extent', place],
                       check=True, stdout=subprocess.DEVNULL)
        machine.host()


@contextlib.contextmanager
def one_processor():
    """What starts in here shares one processor. Else a round trip is mostly
    the time that idle processors of this machine take to wake up."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def bench_commands(options, table):
    print('== commands within QEMU and over a socket', file=sys.stderr)
    inside = run_lines([os.path.join(
        options.build, 'qemu/tests/bench/cxl/cxl-bench-commands')])
    table.section('FM commands within QEMU, without a road')
    for name, row in inside.items():
        for size, ns in row.items():
            table.add(f'{name}h, {size} bytes of answer', None, '', rate(ns))
    own = os.path.join(options.build, 'own')
    with one_processor(), fm_machine.Machine(options.qemu) as machine:
        fill(machine, os.path.join(own, 'tools/cxl-fm/cxl-fm'), 60)
        found = run_lines([os.path.join(own, 'tests/bench/fm/bench-link'),
                           machine.urls[0], machine.path('echo')])
    table.section('FM commands over mctp-serial-cxl on a unix socket')
    for name in ('5600', '5603'):
        for size, ns in found[name].items():
            table.add(f'{name}h, {size} bytes of answer',
                      found[name + '-ratio'][size],
                      'command : plain echo', rate(ns) +
                      f', echo {time_of(found[name + "-echo"][size])}')


def bench_guest(options, table):
    print('== a guest, three times at most', file=sys.stderr)
    direct = bench_machine.guest(TOP, options.build, options.qemu, '--i2c')
    traps = bench_machine.guest(TOP, options.build, options.qemu, '--i2c',
                                '--dc-props', 'direct-ranges-max=0')
    rows = [('static', direct, 'static'), ('extent', direct, 'dynamic'),
            ('static, always trapped', traps, 'static'),
            ('extent, always trapped', traps, 'dynamic'),
            ('not accepted', direct, 'absent')]
    if options.base:
        base = bench_machine.guest(TOP, options.build, options.base)
        rows.append(('static, unmodified base', base, 'static'))
    for what, unit in (('read', 'MB/s'), ('write', 'MB/s'), ('load', 'ns')):
        kind = 'one load of a line' if what == 'load' else what
        table.section(f"Guest memory under {direct['accel']}, {kind}: against "
                      'plain memory in the same guest')
        for name, found, where in rows:
            mine = found.get(f'{where}-{what}')
            plain = found.get(f'plain-{what}')
            if mine and plain:
                table.add(name, mine / plain, 'this : plain',
                          f'{mine:,.0f} {unit}, plain {plain:,.0f} {unit}')
    table.section('FM commands sent by that guest (5603h: one extent)')
    for road, words in (('mailbox', 'PCI mailbox, by ioctl'),
                        ('i2c', 'MCTP over I2C')):
        for name in ('5600', '5603'):
            ns = direct.get(f'{road}-{name}')
            if ns:
                table.add(f'{name}h, {words}',
                          ns / direct[f'mailbox-{name}'],
                          'this : mailbox', rate(ns))


def bench_machines(options, table):
    print('== machines without a guest', file=sys.stderr)
    kinds = {'none': (16, 0, False), 'one': (16, 1, False),
             'many': (16, 16, False), 'dynamic': (16, 16, True)}
    found = bench_machine.idle_machines(options.qemu, kinds)
    none = found['none'][0]
    rows = [('one', 1, 'one device', found),
            ('many', 16, '16 devices', found),
            ('dynamic', 16, '16 devices with a DC region', found)]
    if options.base:
        base = bench_machine.idle_machines(options.base, kinds)
        rows += [('many', 16, '16 devices, unmodified base', base),
                 ('dynamic', 16, 'with a DC region, unmodified base', base)]
    table.section('Memory per idle cxl-type3 beyond its backends (16 root '
                  'ports always)')
    for name, count, words, of in rows:
        each = (of[name][1] - of['none'][1]) / count
        table.add(words, each / 256, 'each : 256 KiB',
                  f'{each:,.0f} KiB each, machine {of[name][1]:,.0f} KiB')
    table.section('Time until QEMU answers')
    table.add('no device', None, '', f'{none * 1e3:.0f} ms')
    for name, words in (('one', 'one device'), ('many', '16 devices'),
                        ('dynamic', '16 devices with a DC region')):
        seconds = found[name][0]
        table.add(words, seconds / none, 'this : no device',
                  f'{seconds * 1e3:.0f} ms')


SECTIONS = {
    'guest': bench_guest,
    'model': bench_model,
    'commands': bench_commands,
    'machines': bench_machines,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build', help='build folder')
    parser.add_argument('section', nargs='*', default=list(SECTIONS),
                        metavar='section', help=', '.join(SECTIONS))
    parser.add_argument('--base', metavar='QEMU', help='a qemu-system-x86_64 '
                        'of the unmodified base, to be measured as well')
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
