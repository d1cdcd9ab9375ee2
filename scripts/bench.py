#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the CXL layer and print one table, ratios first.

Nothing here judges: figures depend on the machine and on what else runs on
it, ratios of two figures of one run much less. What depends on the number of
extents is also drawn, BUILD/bench/*.svg.
"""

import argparse
import datetime
import os
import platform
import subprocess

import bench_commands
import bench_guest
import bench_hold
import bench_machine
import bench_model
import bench_pool
import bench_set
from bench_table import Table

SECTIONS = {
    'guest': bench_guest.guest,
    'model': bench_model.model,
    'mapping': bench_model.mapping,
    'commands': bench_commands.commands,
    'holds': bench_hold.holds,
    'sets': bench_set.sets,
    'pools': bench_pool.pools,
    'machines': bench_machine.machines,
}


def first_line(path, key):
    with open(path, encoding='utf-8') as file:
        for row in file:
            if row.startswith(key):
                return row.split(':', 1)[1].strip()
    return 'unknown'


def load():
    return ' '.join(f'{x:.1f}' for x in os.getloadavg())


def circumstances(qemu):
    """The machine, as lines."""
    version = subprocess.run([qemu, '--version'], stdout=subprocess.PIPE,
                             check=True, encoding='utf-8').stdout
    now = datetime.datetime.now(datetime.timezone.utc)
    return [f'date    {now:%Y-%m-%d %H:%M} UTC',
            f'cpu     {first_line("/proc/cpuinfo", "model name")}, '
            f'{len(os.sched_getaffinity(0))} processors, load {load()}',
            f'kernel  {platform.system()} {platform.release()}',
            f'qemu    {version.splitlines()[0]}']


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build', help='build folder')
    parser.add_argument('section', nargs='*', default=list(SECTIONS),
                        metavar='section', help=', '.join(SECTIONS))
    base = parser.add_mutually_exclusive_group()
    base.add_argument('--base', metavar='QEMU', help='a qemu-system-x86_64 of '
                      'the unmodified base, to be measured as well')
    base.add_argument('--no-base', action='store_true',
                      help='do without it')
    options = parser.parse_args()
    unknown = set(options.section) - set(SECTIONS)
    if unknown:
        parser.error('no such section: ' + ', '.join(sorted(unknown)))
    options.build = os.path.abspath(options.build)
    options.qemu = os.path.join(options.build, 'qemu', 'qemu-system-x86_64')
    os.makedirs(os.path.join(options.build, 'bench'), exist_ok=True)
    table = Table()
    lines = circumstances(options.qemu)
    for name in options.section:
        SECTIONS[name](options, table)
    lines.append(f'at end  load {load()}')
    text = '\n'.join(lines + ['', table.text()])
    print(text)
    path = os.path.join(options.build, 'bench', 'results.txt')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text + '\n')


if __name__ == '__main__':
    main()
