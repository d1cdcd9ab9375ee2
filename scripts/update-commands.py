#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Renew the table of commands in the docs from the tables in the code.

    update-commands.py [BUILD]

BUILD is a configured build folder, "build" by default. The unit test that checks
the table writes it too, so that test is built first.
"""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = 'docs/system/devices/cxl-commands.rst'
BEGIN = '.. commands: begin (generated)\n'
END = '.. commands: end\n'
TEST = 'tests/unit/cxl/test-cxl-command-table'


def run(*words):
    done = subprocess.run(words, cwd=TOP, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f'{done.stdout}\nupdate-commands.py: "{" ".join(words)}" '
                 f'failed; {PAGE} is as it was')
    return done.stdout


def main():
    if sys.argv[1:2] in (['-h'], ['--help']):
        print(__doc__.strip())
        return
    if len(sys.argv) > 2:
        sys.exit(__doc__.strip())
    build = sys.argv[1] if len(sys.argv) == 2 else 'build'
    qemu = os.path.join(build, 'qemu')
    run('./configure', '--again', '--build=' + build)
    run('ninja', '-C', qemu, TEST)
    table = run(os.path.join(qemu, TEST), '--print')
    page = os.path.join(TOP, PAGE)
    with open(page, encoding='utf-8') as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    old, tail = rest.split(END)
    if table == old:
        print(f'{PAGE} has these commands already')
        return
    with open(page, 'w', encoding='utf-8') as file:
        file.write(head + BEGIN + table + END + tail)
    for mark, here, there in ('-', old, table), ('+', table, old):
        for line in here.splitlines():
            if line not in there.splitlines():
                print(f'{PAGE}: {mark} {line}')


if __name__ == '__main__':
    main()
