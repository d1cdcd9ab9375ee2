# SPDX-License-Identifier: GPL-2.0-or-later
"""How long interleaved memory is on its way, and what it takes meanwhile."""

import os
import sys

from bench_table import run_lines, time_of

MIB = 1 << 20
CONTENTS = {'blank': 'never written', 'written': 'all of it written'}


def sets(options, table):
    print('== interleaved sets', file=sys.stderr)
    found = run_lines(
        [os.path.join(options.build, 'qemu/tests/bench/cxl/cxl-bench-set')],
        env={**os.environ, 'QTEST_QEMU_BINARY': options.qemu})
    table.section('2 ways of 256 bytes, until all is plain RAM, and until all '
                  'is back with the devices')
    for way, words in (('commit', 'commit'), ('uncommit', 'decoders off')):
        for contents, state in CONTENTS.items():
            ((mib, ns),) = found[f'{way}-{contents}'].items()
            table.add(f'{words}, {state}', None, '',
                      f'{time_of(ns * 1024 / mib)} per GiB')
    table.section('Memory of the host beyond what was in use before, at most')
    for contents, state in CONTENTS.items():
        ((mib, more),) = found[f'memory-{contents}'].items()
        table.add(state, more / MIB / mib, 'this : the set',
                  f'{more / MIB:,.1f} MiB of {mib} MiB')
