# SPDX-License-Identifier: GPL-2.0-or-later
"""What 10^2 to 10^6 extents cost: in the dynamic capacity model alone, and
with the memory map that follows it. Both are drawn as well."""

import os
import sys

import bench_plot
from bench_table import FEW, MANY, SCALES, run_lines, time_of

OPERATIONS = {
    'add': 'add one extent (5604h)',
    'accept': 'accept it (4802h)',
    'release': 'release it (4803h)',
    'extent-page': 'page of 50 extents from the k-th on (4801h, 5603h)',
    'tag-page': 'page of 24 tags from the k-th on (5608h)',
    'access': 'may the host touch this line?',
    'translate': 'where on the medium is this line?',
}

# Of bench-mapping: where the extents lie, and what happens to one of them
PLACES = {
    'apart': 'apart, among the 256 mapped',
    'beyond': 'apart, beyond these',
    'row': 'all in one row, mapped as one',
    'holes': 'the same, 300 holes come and go (mean)',
}
EVENTS = {
    'accept': 'accept',
    'release': 'release',
    'forced': 'forced release',
}


def scale_row(table, words, found, name):
    row = found[name]
    sizes = [n for n in SCALES if n in row]
    table.add(words, found[name + '-ratio'][MANY], '10^6 : 10^3',
              ', '.join(time_of(row[n]) for n in sizes) +
              f' (10^{len(str(sizes[0])) - 1} .. 10^6)')


def plot(options, name, title, series):
    path = os.path.join(options.build, 'bench', name + '.svg')
    bench_plot.write(path, title, 'extents in the device',
                     'nanoseconds per operation', series)
    print('== plot: ' + path, file=sys.stderr)


def model(options, table):
    print('== the model, about a minute', file=sys.stderr)
    found = run_lines([os.path.join(
        options.build, 'qemu/tests/bench/cxl/cxl-bench-model')])
    table.section('Model, one operation: with 10^6 extents against 10^3')
    for name, words in OPERATIONS.items():
        scale_row(table, words, found, name)
    table.section('Model, offer and answer a group (5604h, then 4802h in '
                  'pages): cost per extent')
    for name, words in (('group', 'in an empty region'),
                        ('group-among-a-million', 'among 10^6 extents')):
        row = found[name]
        sizes = sorted(row)
        table.add(words, found[name + '-ratio'][sizes[-1]],
                  f'{sizes[-1]} : {FEW}',
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
    plot(options, 'model', 'Dynamic capacity model',
         {name: sorted(found[name].items()) for name in OPERATIONS})


def mapping(options, table):
    print('== direct mapping, about a minute', file=sys.stderr)
    found = run_lines(
        [os.path.join(options.build, 'qemu/tests/bench/cxl/cxl-bench-mapping')],
        env={**os.environ, 'QTEST_QEMU_BINARY': options.qemu})
    table.section('Device with direct mapping, one command for one extent: '
                  'with 10^6 extents against 10^3')
    series = {}
    for place, where in PLACES.items():
        for event, what in EVENTS.items():
            name = f'{place}-{event}'
            if name in found:
                scale_row(table, f'{what}: {where}', found, name)
                series[f'{place}: {event}'] = sorted(found[name].items())
    plot(options, 'mapping', 'Giving and taking an extent, direct mapping on',
         series)
