#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the names of all commands, for cxl-fm, as initialisers in C.

    command-names.py docs/system/devices/cxl-commands.rst

The table there is made from the tables in the code (update-commands.py),
and the unit test test-cxl-command-table fails when they differ.
"""

import re
import sys


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    names = {}
    with open(sys.argv[1], encoding='utf-8') as file:
        for line in file:
            row = re.match(r'   ([0-9A-F]{4})h, ([^,"\\]+), ', line)
            if row:
                names.setdefault(row[1], row[2])
    if not names:
        sys.exit(f'{sys.argv[1]}: no table of commands')
    for opcode, name in sorted(names.items()):
        print(f'{{ 0x{opcode}, "{name}" }},')


if __name__ == '__main__':
    main()
