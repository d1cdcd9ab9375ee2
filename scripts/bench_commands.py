# SPDX-License-Identifier: GPL-2.0-or-later
"""FM commands within QEMU, and over a socket beside an echo."""

import contextlib
import os
import subprocess
import sys

from bench_table import FEW, rate, run_lines, time_of

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'tests', 'tools'))
import fm_machine   # noqa: E402, found by the line above


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


def inside(options, table):
    found = run_lines([os.path.join(
        options.build, 'qemu/tests/bench/cxl/cxl-bench-commands')])
    group, ratio = found.pop('group'), found.pop('group-ratio')
    table.section('Commands within QEMU, without a transport')
    for name, row in found.items():
        for size, ns in row.items():
            table.add(f'{name}h, {size} bytes of answer', None, '', rate(ns))
    sizes = sorted(group)
    table.add('5604h, then 4802h in pages of 2 KiB: per extent',
              ratio[sizes[-1]], f'{sizes[-1]} : {FEW}',
              ', '.join(f'{n}: {time_of(group[n])}' for n in sizes))


def socket(options, table):
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


def commands(options, table):
    print('== commands within QEMU and over a socket', file=sys.stderr)
    inside(options, table)
    socket(options, table)
