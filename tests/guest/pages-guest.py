#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What pages say to type in a guest is typed in the test guest.

The rows "guest" of tests/tools/pages.toml say which blocks those are. Those
that want the same machine share one.

usage: pages-guest.py TREE list            the machines, one a line
       pages-guest.py TREE MACHINE RUN-GUEST-OPTION...
"""

import importlib
import os
import sys
import tempfile
import tomllib

tree, machine, *options = sys.argv[1:]
sys.path[:0] = [os.path.join(tree, 'scripts'),
                os.path.join(tree, 'tests/tools')]

# pylint: disable=wrong-import-position
import pages

with open(os.path.join(tree, 'tests/tools/pages.toml'), 'rb') as table:
    TABLE = tomllib.load(table)


def script():
    """Lines for scenario "pages"."""
    for path, blocks in pages.pages(tree):
        for block in blocks:
            for first, row in TABLE['guest'].items():
                if row['machine'] != machine or \
                   not pages.begins(block, first):
                    continue
                yield f'#{path}:{block.line}'
                for line in pages.commands(block.text):
                    yield '!' * (line in row.get('fails', [])) + line


def main():
    if machine == 'list':
        print('\n'.join(TABLE['machine']))
        return 0
    trees = [os.path.join(tree, name)
             for name in TABLE['trees'].get(machine, [])]
    for name in trees:
        if not os.path.isdir(name):
            print(f'1..0 # SKIP there is no {name}')
            return 0
    with tempfile.TemporaryDirectory(prefix='cxl-pages-') as folder:
        path = os.path.join(folder, 'pages')
        with open(path, 'w', encoding='utf-8') as file:
            file.writelines(line + '\n' for line in script())
        return importlib.import_module('run-guest').main(
            ['--scenario', 'pages', '--add', 'pages=' + path,
             # any file is an image of firmware
             '--add', 'image=' + path,
             *TABLE['machine'][machine].split(), *options,
             *(f'--tree={name}' for name in trees)])


if __name__ == '__main__':
    sys.exit(main())
