#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What our files of QEMU offer to others, somebody takes.

A symbol that no other object of QEMU refers to should be static, or gone when
its own file does not use it either. Exceptions: cxl-poold has some of the same
files, a test may call what its own file uses, and a benchmark or test what
measures.

usage: test-exports.py TREE QEMU_BUILD
"""

import collections
import glob
import os
import re
import subprocess
import sys

from cases import case, main

# Folders of ours whole: what is not ours in another one is the base's affair
OURS = ('hw/cxl', 'hw/mem')
# Called by the linker, or only by tests, which could not measure otherwise
# cxl_fmws_*: the machines of QEMU 10.2 call them
EXPECTED = {'cxl_dc_memory', 'cxl_fmws_get_all_sorted', 'cxl_fmws_set_memmap',
            'cxl_fmws_update_mmio'}


def symbols(objects):
    """Maps an object to the names that it defines and those that it needs."""
    has = collections.defaultdict(set)
    needs = collections.defaultdict(set)
    out = subprocess.run(['nm', '-A', '-g', *objects], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    for line in out.splitlines():
        path, _, rest = line.partition(':')
        kind, name = rest.split()[-2:]
        (needs if kind in 'Uvw' else has)[path].add(name)
    return has, needs


def words_of(source):
    with open(source, encoding='utf-8') as file:
        return collections.Counter(re.findall(r'\w+', file.read()))


def unused(tree, build):
    objects = glob.glob(f'{build}/lib*.a.p/*.o') + \
        glob.glob(f'{build}/qemu-system-x86_64.p/*.o')
    has, needs = symbols(objects)
    wanted = collections.Counter(name for names in needs.values()
                                 for name in names)
    tested = set()
    for test in glob.glob(f'{tree}/tests/*/*/*.c'):
        tested.update(words_of(test))
    daemon = set()
    for source in glob.glob(f'{tree}/tools/cxl-poold/*.c'):
        daemon.update(words_of(source))
    seen = 0
    for folder in OURS:
        for source in sorted(glob.glob(f'{tree}/{folder}/**/*.c',
                                       recursive=True)):
            flat = os.path.relpath(source, tree).replace('/', '_') + '.o'
            words = words_of(source)
            for path in has:
                if os.path.basename(path) != flat:
                    continue
                seen += 1
                for name in sorted(has[path] - EXPECTED - daemon):
                    if not wanted[name] and not (name in tested and
                                                 words[name] > 1):
                        yield f'{os.path.relpath(source, tree)}: {name}'
    # or this looked at nothing
    assert seen > 50, seen


@case
def every_export_has_a_user():
    return list(unused(*sys.argv[1:]))


main()
