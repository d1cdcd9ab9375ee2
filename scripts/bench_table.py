# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of scripts/bench.py, and how figures get into it."""

import re
import subprocess

SCALES = [10 ** power for power in range(2, 7)]
FEW, MANY = 1000, 1000000


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
        width = [max(len(row[i]) for row in cells) for i in range(3)]

        def line(row):
            return (f'{row[0]:{width[0]}}  {row[1]:>{width[1]}}  '
                    f'{row[2]:{width[2]}}  {row[3]}').rstrip()
        out = [line(cells[0]), '-' * (sum(width) + 13)]
        for row in self.rows:
            out += [line(row)] if isinstance(row, tuple) else ['', row]
        return '\n'.join(out)


def time_of(ns):
    """A time in a unit that suits it."""
    for unit, size in (('s', 1e9), ('ms', 1e6), ('us', 1e3)):
        if ns >= size:
            return f'{ns / size:.3g} {unit}'
    return f'{ns:.0f} ns'


def rate(ns):
    return f'{time_of(ns)}, {1e9 / ns:,.0f} per second'


def own_memory(pid):
    """KiB of a process that are no file's, nor shared memory."""
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        return int(re.search(r'RssAnon:\s+(\d+) kB', file.read()).group(1))


def run_lines(command, **more):
    """What a program of ours prints: NAME, tab, number, tab, value."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True,
                          encoding='utf-8', **more)
    found = {}
    for row in done.stdout.splitlines():
        if not row.startswith('#'):
            name, number, value = row.split('\t')
            found.setdefault(name, {})[int(number)] = float(value)
    return found
