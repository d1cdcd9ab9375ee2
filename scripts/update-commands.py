#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Renew the README's table of commands from the tables in the code.

    update-commands.py QEMU_BUILD_FOLDER

The unit test that checks the table writes it, too.
"""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BEGIN = '<!-- commands: begin (generated) -->\n'
END = '<!-- commands: end -->\n'


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    tool = os.path.join(sys.argv[1], 'tests/unit/cxl/test-cxl-command-table')
    table = subprocess.run([tool, '--print'], check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    readme = os.path.join(TOP, 'README.md')
    with open(readme, encoding='utf-8') as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    renewed = head + BEGIN + table + END + tail
    if renewed != text:
        with open(readme, 'w', encoding='utf-8') as file:
            file.write(renewed)


if __name__ == '__main__':
    main()
