#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/overlay.py: what it makes of a base, and what it refuses.

usage: test-overlay.py OVERLAY
"""

import contextlib
import os
import subprocess
import sys
import tempfile

from cases import case, main

CORRECTIONS = 'scripts/base-corrections.toml'
HOOKS = 'scripts/base-hooks.txt'
RELEASE = '10.0'
FILE = 'system/core.c'
TEXT = 'one\ntwo\nthree\n'


def edit(find, put, releases=(RELEASE,), file=FILE):
    listed = ', '.join(f'"{name}"' for name in releases)
    return (f'[[fault.edit]]\nfile = "{file}"\nreleases = [{listed}]\n'
            f"find = '''{find}'''\nput = '''{put}'''\n")


def fault(*edits, name='a fault', more=''):
    return (f'[[fault]]\nname = "{name}"\nwhy = "it is wrong"\n'
            f'test = "none"\n{more}\n' + ''.join(edits))


class Trees:
    """A tree of ours, a base, and the sources that are built of them."""

    def __init__(self, folder):
        self.folder = folder
        self.put('base/VERSION', RELEASE + '.13\n')
        self.put('base/' + FILE, TEXT)
        self.put('src/' + FILE, TEXT)

    def path(self, name):
        return os.path.join(self.folder, name)

    def put(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)

    def correct(self, *faults):
        self.put('top/' + CORRECTIONS, ''.join(faults))

    def run(self):
        return subprocess.run(
            [sys.executable, sys.argv[1]] +
            [self.path(name) for name in ('top', 'base', 'src')],
            stderr=subprocess.PIPE, text=True, check=False)

    def built(self, want, name=FILE):
        done = self.run()
        assert done.returncode == 0, done.stderr
        with open(self.path('src/' + name), encoding='utf-8') as file:
            text = file.read()
        assert text == want, f'{text!r}, not {want!r}'

    def refused(self, *words):
        done = self.run()
        assert done.returncode == 1, done.stderr
        assert 'Traceback' not in done.stderr, done.stderr
        for word in words:
            assert word in done.stderr, f'no "{word}" in: {done.stderr}'
        with open(self.path('src/' + FILE), encoding='utf-8') as file:
            assert file.read() == TEXT, 'the sources have changed'


@case
def a_text_is_replaced(trees):
    trees.correct(fault(edit('two\n', '2\nand a half\n')))
    trees.built('one\n2\nand a half\nthree\n')


@case
def a_second_run_writes_nothing(trees):
    trees.correct(fault(edit('two', '2')))
    trees.built('one\n2\nthree\n')
    before = os.stat(trees.path('src/' + FILE)).st_mtime_ns
    assert not trees.run().stderr
    assert os.stat(trees.path('src/' + FILE)).st_mtime_ns == before


@case
def a_changed_table_starts_from_the_base(trees):
    trees.correct(fault(edit('two', '2')))
    trees.built('one\n2\nthree\n')
    trees.correct(fault(edit('three', '3')))
    trees.built('one\ntwo\n3\n')


@case
def an_entry_that_goes_is_put_back(trees):
    trees.correct(fault(edit('two', '2')))
    trees.built('one\n2\nthree\n')
    trees.correct()
    trees.built(TEXT)


@case
def lines_come_behind_corrections(trees):
    trees.put('top/' + HOOKS, f'{FILE}: four\n{FILE}: five\n')
    trees.correct(fault(edit('three\n', '')), fault(edit('two', '2')))
    trees.built('one\n2\nfour\nfive\n')
    trees.correct(fault(edit('four', '4')))
    done = trees.run()
    assert '0 times' in done.stderr, 'a line of ours was corrected'
    os.unlink(trees.path('top/' + CORRECTIONS))
    trees.built(TEXT + 'four\nfive\n')


@case
def lines_come_behind_the_line_that_is_named(trees):
    trees.put('top/' + HOOKS, f'{FILE}: end\n{FILE} after `ne`:  1: a\n'
                              f'{FILE} after `three`: 3\n'
                              f'{FILE} after `ne`:\n')
    trees.correct(fault(edit('two', '2')))
    trees.built('one\n 1: a\n\n2\nthree\n3\nend\n')


@case
def a_place_that_is_not_there_once_is_refused(trees):
    trees.put('top/' + HOOKS, f'# no row\n{FILE} after `four`: 4\n')
    trees.refused(HOOKS + ':2', FILE, '0 lines', 'four')
    trees.put('top/' + HOOKS, f'{FILE} after `t`: 4\n')
    trees.refused(HOOKS + ':1', FILE, '2 lines')
    trees.put('top/' + HOOKS, 'no row\n')
    trees.refused(HOOKS + ':1', 'not of the form')


@case
def a_text_that_is_not_there_is_refused(trees):
    trees.correct(fault(edit('two', '2'), name='good'),
                  fault(edit('one', '1'), edit('four', '4'), name='bad one'))
    trees.refused('bad one, edit 2', FILE, '0 times', 'four')


@case
def a_text_that_is_there_twice_is_refused(trees):
    trees.correct(fault(edit('t', 'T'), name='vague'))
    trees.refused('vague, edit 1', FILE, '2 times', 'once: t')
    trees.correct(fault(edit('', 'T'), name='empty'))
    trees.refused('empty, edit 1', FILE, '0 times')


@case
def what_changes_nothing_is_refused(trees):
    trees.correct(fault(edit('two', 'two'), name='idle'))
    trees.refused('idle, edit 1', FILE, 'stay as it is')


@case
def each_release_has_its_own_edits(trees):
    trees.correct(fault(edit('two', '2'),
                        edit('not here', '2', ['10.2', '11.1']),
                        edit('nor here', '', ['11.1'], 'no/such/file.c')))
    trees.built('one\n2\nthree\n')


@case
def a_release_may_need_nothing(trees):
    trees.correct(fault(edit('gone', '2', ['10.2']),
                        more=f'unneeded = {{ "{RELEASE}" = "mended" }}'))
    trees.built(TEXT)
    trees.correct(fault(edit('two', '2', ['10.0', '10.2']), name='torn',
                        more=f'unneeded = {{ "{RELEASE}" = "mended" }}'))
    trees.refused('torn', RELEASE, 'unneeded')


@case
def a_release_that_nobody_looked_at_is_refused(trees):
    trees.correct(fault(edit('two', '2', ['10.2']), name='open'))
    trees.refused('open', f'release {RELEASE}', 'unneeded')


@case
def only_base_files_are_corrected(trees):
    trees.put('top/hw/mem/own.c', 'own\n')
    trees.correct(fault(edit('own', 'our', file='hw/mem/own.c'), name='ours'))
    trees.refused('ours, edit 1', 'hw/mem/own.c is a file of ours')
    trees.correct(fault(edit('a', 'b', file='hw/none.c'), name='none'))
    trees.refused('none, edit 1', 'the base has no hw/none.c')
    trees.put('top/hw/cxl/new.c', '')
    trees.put('base/hw/cxl/old.c', 'old\n')
    trees.correct(fault(edit('old', 'b', file='hw/cxl/old.c'), name='out'))
    trees.refused('out, edit 1', 'the base has no hw/cxl/old.c')


@case
def a_release_gets_what_it_lacks(trees):
    new = 'include/system/new.h'
    trees.put(f'top/compat/{RELEASE}/{new}', 'lent\n')
    trees.put('top/compat/10.2/include/system/other.h', 'not wanted\n')
    trees.put(f'top/compat/{RELEASE}/edits.toml',
              f'[[edit]]\nwhy = "old"\nfile = "{FILE}"\n'
              "find = 'two'\nput = '2'\n")
    trees.put('top/compat/10.2/edits.toml', 'not even a table')
    trees.built('lent\n', new)
    trees.built('one\n2\nthree\n')
    assert not os.path.exists(trees.path('src/include/system/other.h'))
    trees.put('base/VERSION', '10.1.9\n')
    trees.built(TEXT)
    assert not os.path.lexists(trees.path('src/' + new))


@case
def what_a_release_has_is_not_given_to_it(trees):
    for place in ('base', 'top'):
        trees.put(f'top/compat/{RELEASE}/include/{place}.h', '')
        trees.put(f'{place}/include/{place}.h', '')
        trees.refused(f'compat/{RELEASE}/include/{place}.h')
        os.unlink(trees.path(f'top/compat/{RELEASE}/include/{place}.h'))
    trees.put(f'top/compat/{RELEASE}/edits.toml',
              f'[[edit]]\nwhy = "old"\nfile = "{FILE}"\n'
              "find = 'four'\nput = '4'\n")
    trees.refused(f'compat/{RELEASE}/edits.toml: edit 1', FILE, '0 times')


@case
def a_table_that_makes_no_sense_is_refused(trees):
    trees.correct('[[fault]\n')
    trees.refused(CORRECTIONS, 'line 1')
    trees.correct(fault(edit('two', '2'), name='odd', more='releases = []'))
    trees.refused('odd', '"releases" is unknown')
    trees.correct('[[fault]]\nname = "bare"\ntest = "none"\n')
    trees.refused('bare', 'no "why"')
    trees.correct(fault(edit('two', '2'), name='list',
                        more=f'unneeded = ["{RELEASE}"]'))
    trees.refused('list', '"unneeded" is no dict')


@contextlib.contextmanager
def trees():
    with tempfile.TemporaryDirectory(prefix='overlay-test-') as folder:
        yield Trees(folder)


main(around=trees)
