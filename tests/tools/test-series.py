#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/series.py: the commits end in what configure lays over the base.

usage: test-series.py TREE SOURCE
SOURCE is the tree that is built.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

TREE, SOURCE = sys.argv[1:3]
SCRIPTS = os.path.join(TREE, 'scripts')
sys.path.insert(0, SCRIPTS)
# pylint: disable=wrong-import-position
import series
import series_mail
from cases import case, main
from series_states import States, read
from series_table import TABLE, Table

BASE = series.configured_base(os.path.relpath(SOURCE, TREE))
WHO = ('-c', 'user.name=A Tester', '-c', 'user.email=tester@example.org')


def git(folder, *args):
    return subprocess.run(['git', *WHO, '-C', folder, *args],
                          stdout=subprocess.PIPE, text=True,
                          check=True).stdout


class Series:
    """All states, once."""

    def __init__(self):
        self.table = Table(TREE, BASE)
        states = States(self.table)
        self.states = [states.state(number)
                       for number in range(len(self.table.commits))]
        self.final, self.ours = states.final(), states.ours
        self.touched = set().union(*self.states)


@case
def the_last_commit_is_what_is_built(made, _):
    assert made.states[-1] == made.final
    for path, content in made.final.items():
        laid = os.path.join(SOURCE, path)
        if content is None:
            assert not os.path.lexists(laid), path
        else:
            assert read(laid) == content, path


@case
def no_commit_builds_what_is_not_there(made, _):
    looked = 0
    for number, state in enumerate(made.states):
        for path, content in state.items():
            if path not in made.table.when or \
               not path.endswith('/meson.build'):
                continue
            folder = os.path.dirname(path)
            for name in re.findall(r"'([\w./-]+\.c)'", content.decode()):
                looked += 1
                places = {name, os.path.normpath(f'{folder}/{name}')}
                assert any(state.get(place) is not None or
                           (place not in state and os.path.exists(
                               os.path.join(BASE, place)))
                           for place in places), \
                    f'commit {number + 1}: {path} names {name}'
    assert looked > 1000, looked


@case
def each_commit_has_what_it_includes(made, _):
    table, looked = made.table, 0
    include = re.compile(r'^ *# *include "([^"]+)"', re.MULTILINE)
    for path, content in made.ours.items():
        if not path.endswith(('.c', '.h', '.inc')):
            continue
        later = ''.join(row.get('text', '') for row in table.later
                        if row['file'] == path)
        for name in include.findall(content.decode()):
            if f'#include "{name}"' in later:
                continue
            for place in (os.path.dirname(path), 'include', ''):
                other = os.path.normpath(os.path.join(place, name))
                if other in table.when:
                    looked += 1
                    assert table.when[other] <= table.built[path], \
                        f'{path} is compiled before {other} is there'
                    break
    assert looked > 500, looked


@case
def each_commit_says_what_and_why(made, _):
    for commit in made.table.commits:
        subject = commit['subject']
        assert len(subject) < 73 and ': ' in subject, subject
        assert made.table.why(commit), subject
        assert all(line.isascii() for line in made.table.why(commit)), subject


def copy_of_tables(folder):
    """What Table needs of this tree, to spoil."""
    top = os.path.join(folder, 'top')
    for path in ('scripts', 'hw', 'include', 'qapi', 'docs/interop',
                 'docs/system', 'tests', 'tools/cxl-poold'):
        shutil.copytree(os.path.join(TREE, path), os.path.join(top, path),
                        symlinks=True)
    return top


def refused(top, *words):
    done = subprocess.run(
        [sys.executable, '-c', 'import sys; sys.path.insert(0, sys.argv[1])\n'
         'from series_table import Table\nTable(sys.argv[2], sys.argv[3])',
         SCRIPTS, top, BASE], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert 'Traceback' not in done.stderr, done.stderr
    for word in words:
        assert word in done.stderr, f'no "{word}" in: {done.stderr}'


@case
def what_is_in_no_commit_or_two_is_refused(_, folder):
    top = copy_of_tables(folder)
    path = os.path.join(top, 'hw/cxl/brand-new.c')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('/* new */\n')
    refused(top, TABLE, 'hw/cxl/brand-new.c is in no commit')
    os.unlink(path)
    table = os.path.join(top, TABLE)
    text = read(table).decode()

    def spoilt(find, put):
        assert text.count(find) == 1, find
        with open(table, 'w', encoding='utf-8') as file:
            file.write(text.replace(find, put))

    spoilt('files = ["hw/core/deferred.c",',
           'files = ["hw/core/deferred.c", "hw/cxl/hdm/decoder.c",')
    refused(top, 'hw/cxl/hdm/decoder.c is in two commits', 'decoders')
    spoilt('hooks = ["hw/i2c/meson.build: *bus_contacts*", ', 'hooks = [')
    refused(top, 'hw/i2c/meson.build: i2c_ss', 'is in no commit')
    spoilt('files = ["hw/core/deferred.c",', 'files = ["hw/core/none.c",')
    refused(top, 'nothing is named hw/core/none.c')
    spoilt('fault = "pending messages of MSI"', 'fault = "no such fault"')
    refused(top, 'the fault "pending messages of MSI" is in no commit')
    spoilt('built = "over"\nwhy = """\nRoutes', 'built = "x"\nwhy = """\nRoutes')
    refused(top, 'no commit has the id "x"')


def users_tree(made, folder):
    """A git tree with the files of a release that the series touches."""
    tree = os.path.join(folder, 'qemu')
    for path in made.touched | {'VERSION'}:
        if os.path.isfile(os.path.join(BASE, path)):
            os.makedirs(os.path.dirname(os.path.join(tree, path)),
                        exist_ok=True)
            shutil.copy(os.path.join(BASE, path), os.path.join(tree, path))
    git(folder, 'init', '-q', '-b', 'mine', tree)
    git(tree, 'add', '-A')
    git(tree, 'commit', '-q', '-m', 'a release')
    return tree


def onto(tree):
    env = dict(os.environ, GIT_AUTHOR_NAME='A Tester',
               GIT_AUTHOR_EMAIL='tester@example.org')
    return subprocess.run(
        [sys.executable, os.path.join(SCRIPTS, 'series.py'), '--onto', tree,
         '--source', os.path.relpath(SOURCE, TREE)], stderr=subprocess.PIPE, text=True, check=False, env=env)


@case
def a_users_tree_gets_a_branch(made, folder):
    tree = users_tree(made, folder)
    before = git(tree, 'rev-parse', 'HEAD')
    for again in range(2):
        done = onto(tree)
        assert done.returncode == 0, f'run {again}: {done.stderr}'
    assert git(tree, 'rev-parse', 'HEAD') == before
    assert git(tree, 'status', '--porcelain') == ''
    log = git(tree, 'log', '--reverse', '--format=%s%x00%b%x01',
              'mine..cxl').split('\1\n')[:-1]
    wanted = [commit['subject'] for number, commit in
              enumerate(made.table.commits)
              if made.states[number] != (made.states[number - 1]
                                         if number else {})]
    assert [row.split('\0')[0] for row in log] == wanted
    for row in log:
        assert row.rstrip().endswith(
            'Signed-off-by: A Tester <tester@example.org>'), row
        assert all(len(line) < 76 for line in re.split('[\0\n]', row)), row
    git(tree, 'checkout', '-q', 'cxl')
    for path in made.touched:
        laid, ours = os.path.join(SOURCE, path), os.path.join(tree, path)
        assert os.path.exists(laid) == os.path.exists(ours), path
        if os.path.exists(laid):
            assert read(laid) == read(ours), path
            assert os.access(laid, os.X_OK) == os.access(ours, os.X_OK), path


@case
def a_tree_that_does_not_fit_is_refused(made, folder):
    tree = users_tree(made, folder)
    with open(os.path.join(tree, 'VERSION'), 'w', encoding='utf-8') as file:
        file.write('9.2.0\n')
    assert 'in no commit' in onto(tree).stderr
    git(tree, 'commit', '-q', '-a', '-m', 'older')
    assert 'is QEMU 9.2' in onto(tree).stderr
    git(tree, 'checkout', '-q', '-b', 'cxl', 'HEAD^')
    assert 'is on the branch cxl' in onto(tree).stderr


@case
def the_cover_letter_names_each_part(made, _):
    text = series_mail.parts(made.table)
    assert text.endswith(f'to {len(made.table.commits)})'), text
    for commit in made.table.commits:
        assert commit.get('part', '') in text, commit['part']


@contextlib.contextmanager
def made_and_folder():
    with tempfile.TemporaryDirectory(prefix='series-test-') as folder:
        yield MADE, folder


if not shutil.which('git'):
    print('1..0 # SKIP git is not installed')
    sys.exit(0)
MADE = Series()
main(around=made_and_folder)
