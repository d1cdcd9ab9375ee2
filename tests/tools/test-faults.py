#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The page's table of what Linux does has a row for each fault of the code.

usage: test-faults.py TREE
"""

import glob
import re
import sys

from cases import case, main

tree = sys.argv[1]
# The row of a kind: a macro, or all of it
KIND = re.compile(r'(?:^    [A-Z_]+\(|\{ \.name = )"([\w-]+)"', re.MULTILINE)
ROW = re.compile(r'^   \* - ``([\w-]+)``(?: over \w+)?$', re.MULTILINE)


def find(pattern, path):
    with open(path, encoding='utf-8') as file:
        return pattern.findall(file.read())


@case
def the_table_has_each_fault():
    kinds = {name for path in glob.glob(f'{tree}/hw/cxl/fault/*.c')
             for name in find(KIND, path)}
    rows = set(find(ROW, f'{tree}/docs/system/devices/'
                    'cxl-faults-linux.rst.inc'))
    # or this looked at nothing
    assert len(kinds) > 100, kinds
    return [f'{name}: {"no row" if name in kinds else "no such fault"}'
            for name in sorted(kinds ^ rows)]


main()
