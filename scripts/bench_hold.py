# SPDX-License-Identifier: GPL-2.0-or-later
"""How long one command, or one step of long work, makes all others wait."""

import os
import sys

from bench_table import run_lines, time_of

# Of bench-hold, with many extents
MANY = {
    '4801': '4801h, a page of the list',
    '4802': '4802h, accept 49 extents',
    '4803': '4803h, release them',
    '5603': '5603h, a page of the list',
    '5604': '5604h, offer 49 extents',
    '5605-forced': '5605h, take 49 extents by force',
    'query-cxl-dynamic-capacity': 'query-cxl-dynamic-capacity, and its answer',
    'query-cxl-memory-map': 'query-cxl-memory-map, and its answer',
    '4803-row': '4803h, one range of 65464 extents side by side',
    'reset-extents': 'reset of the machine',
}
# The same, while memory is overwritten
WORK = {
    '4400': '4400h and its slices',
    '4400-reset': '4400h, reset of the machine in the middle',
    '4401': '4401h and its slices',
    '4402': '4402h and its slices',
    '5605-sanitize': '5605h with sanitize, and its slices',
}
BACKENDS = {
    'preallocated': 'preallocated',
    'file': 'preallocated shared file',
    'private': 'private mapping of a file',
    'plain': 'pages can be dropped',
}
# What no hold shall exceed
BAR = 10e6


def holds(options, table):
    print('== holds of the global lock', file=sys.stderr)
    found = run_lines(
        [os.path.join(options.build, 'qemu/tests/bench/cxl/cxl-bench-hold')],
        env={**os.environ, 'QTEST_QEMU_BINARY': options.qemu})

    def row(words, name):
        (ns,) = found[name].values()
        table.add(words, ns / BAR, 'longest : 10 ms', time_of(ns))

    table.section('Longest hold of the global lock, with 65464 extents of 64 '
                  'bytes, one a page')
    for name, words in MANY.items():
        row(words, name)
    table.section('Longest hold of the global lock, 2 GiB static and 2 GiB '
                  'dynamic to overwrite')
    for backend, kind in BACKENDS.items():
        for name, words in WORK.items():
            row(f'{words}: {kind}', f'{name}-{backend}')
