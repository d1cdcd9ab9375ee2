#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each file of this tree has somebody who looks after it, and a licence; lines
of a schema's documentation are as long as each release of QEMU takes them.

usage: test-files.py TREE SOURCE
SOURCE is the tree that is built, with the MAINTAINERS that QEMU would get.
"""

import fnmatch
import os
import re
import sys

TREE, SOURCE = sys.argv[1:3]
sys.path.insert(0, os.path.join(TREE, 'scripts'))
# pylint: disable=wrong-import-position
import overlay
from cases import case, main
from tree_files import tree_files

SPDX = 'SPDX-License-Identifier: GPL-2.0-or-later'
# QEMU 10.2's schema parser refuses more
DOC_MAX = 70
# What carries no such line, and why
WITHOUT = {
    'LICENSE': 'is the licence',
    'MAINTAINERS': 'a reader of its format would take it for a field',
    '*.md': 'a comment would be the first thing that a reader sees',
    '*.svg': 'drawn by scripts/bench_plot.py',
    'scripts/series/cover.txt': 'becomes a mail',
    'tests/guest/mctpd/etc/passwd': 'a format without comments',
}


def patterns(folder):
    with open(os.path.join(folder, 'MAINTAINERS'), encoding='utf-8') as file:
        return re.findall(r'^F: (\S+)$', file.read(), re.MULTILINE)


def is_under(path, pattern):
    """As get_maintainer.pl reads a pattern."""
    if pattern.endswith('/'):
        return fnmatch.fnmatchcase(path, pattern + '*')
    return path.count('/') == pattern.count('/') and \
        fnmatch.fnmatchcase(path, pattern)


def unattended(paths, rows):
    return [path for path in paths
            if not any(is_under(path, row) for row in rows)]


@case
def each_file_has_a_maintainer():
    return unattended(tree_files(TREE), patterns(TREE))


@case
def each_file_has_a_maintainer_in_the_base():
    paths = [path for root in overlay.ROOTS
             for path in overlay.files_below(TREE, root)]
    assert len(paths) > 100, paths
    return unattended(paths, patterns(SOURCE))


@case
def each_pattern_has_a_file():
    paths = tree_files(TREE)
    return [row for row in patterns(TREE)
            if not any(is_under(path, row) for path in paths)]


@case
def each_file_names_its_licence():
    wrong = []
    for path in tree_files(TREE):
        with open(os.path.join(TREE, path), encoding='utf-8') as file:
            has = SPDX in ''.join(file.readlines()[:4])
        exempt = any(fnmatch.fnmatchcase(path, row) for row in WITHOUT)
        if has == exempt:
            wrong.append(path + (': has a line after all' if has else ''))
    return wrong


@case
def each_line_of_documentation_is_short():
    """Of a schema; those of examples, which are indented more, may be longer."""
    wrong = []
    for path in tree_files(TREE):
        if fnmatch.fnmatchcase(path, 'qapi/*.json'):
            with open(os.path.join(TREE, path), encoding='utf-8') as file:
                wrong += [f'{path}:{number}' for number, line in
                          enumerate(file, 1) if len(line.rstrip()) > DOC_MAX
                          and re.match('# {1,4}[^ ]', line)]
    return wrong


main()
