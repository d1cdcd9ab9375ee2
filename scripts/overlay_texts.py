# SPDX-License-Identifier: GPL-2.0-or-later
"""Base files that are ours in a few words only.

Three tables say which: scripts/base-corrections.toml and, for one release,
compat/RELEASE/edits.toml replace texts that a base file must have exactly once,
scripts/base-hooks.txt adds lines, behind a line or at the end.  A file may be in
all of them; lines come last.  What cannot be done ends the program, by name.
"""

import os
import re
import sys
import tomllib

HOOKS = 'scripts/base-hooks.txt'
CORRECTIONS = 'scripts/base-corrections.toml'

# <base file> [after `<text of one line>`]: <line>
HOOK = re.compile(r'(\S+?)(?: after `([^`]+)`)?:(?: (.*))?')

# Keys and what they hold
FAULT_KEYS = {'name': str, 'why': str, 'test': str, 'unneeded': dict,
              'edit': list}
EDIT_KEYS = {'file': str, 'releases': list, 'find': str, 'put': str}
COMPAT_KEYS = {'why': str, 'file': str, 'find': str, 'put': str}


class Texts:
    """Texts of base files, by path; plan: what the tree does to others."""

    def __init__(self, base, plan):
        self.base, self.plan = base, plan
        self.texts = {}
        # by file and text of a place: its line, how many lines follow it
        self.places, self.added = {}, {}

    def get(self, where, name):
        if self.plan.get(name, ('', ''))[0] == 'link':
            sys.exit(f'{where}: {name} is a file of ours: edit it there')
        path = os.path.join(self.base, name)
        if name in self.plan or not os.path.isfile(path):
            sys.exit(f'{where}: the base has no {name}')
        if name not in self.texts:
            with open(path, encoding='utf-8') as file:
                self.texts[name] = file.read()
        return self.texts[name]

    def replace(self, where, name, find, put):
        text = self.get(where, name)
        times = text.count(find) if find else 0
        if times != 1:
            shown = find.strip().split('\n')[0]
            sys.exit(f'{where}: {name} has this text {times} times, '
                     f'not once: {shown}')
        if find == put:
            sys.exit(f'{where}: {name} would stay as it is')
        self.texts[name] = text.replace(find, put)

    def add(self, where, name, after, line):
        """Adds a line at the end, or behind the line that has a text."""
        lines = self.get(where, name).splitlines()
        at = len(lines)
        if after:
            if (name, after) not in self.places:
                found = [n for n, row in enumerate(lines) if after in row]
                if len(found) != 1:
                    sys.exit(f'{where}: {name} has {len(found)} lines with '
                             f'this text, not one: {after}')
                self.places[name, after] = lines[found[0]]
            # several lines of one place stay in the order of the table
            at = lines.index(self.places[name, after]) + 1
            at += self.added.get((name, after), 0)
            self.added[name, after] = self.added.get((name, after), 0) + 1
        lines.insert(at, line)
        self.texts[name] = '\n'.join(lines) + '\n'


def release_of(base):
    """'10.0' of 10.0.13."""
    with open(os.path.join(base, 'VERSION'), encoding='utf-8') as file:
        return '.'.join(file.read().strip().split('.')[:2])


def compat_folder(base):
    """Where things are that only a base of this release needs."""
    return os.path.join('compat', release_of(base))


def demand(where, row, keys, optional=()):
    """Every key must be there, of its kind, and no other."""
    for key, kind in keys.items():
        if key not in row and key not in optional:
            sys.exit(f'{where}: no "{key}"')
        if key in row and not isinstance(row[key], kind):
            sys.exit(f'{where}: "{key}" is no {kind.__name__}')
    for key in row.keys() - keys.keys():
        sys.exit(f'{where}: "{key}" is unknown')


def correct(texts, release, faults):
    for number, fault in enumerate(faults, 1):
        where = f'{CORRECTIONS}: fault {number}'
        if 'name' in fault:
            where = f'{CORRECTIONS}: {fault["name"]}'
        demand(where, fault, FAULT_KEYS, ('unneeded', 'edit'))
        unneeded = release in fault.get('unneeded', {})
        done = False
        for at, edit in enumerate(fault.get('edit', []), 1):
            here = f'{where}, edit {at}'
            demand(here, edit, EDIT_KEYS)
            if release in edit['releases']:
                texts.replace(here, edit['file'], edit['find'], edit['put'])
                done = True
        if done == unneeded:
            sys.exit(f'{where}: ' + (
                f'release {release} is corrected and "unneeded"' if done else
                f'nothing is said of release {release}: it needs an edit, or '
                'stands under "unneeded" with the reason'))


def read_hooks(rows):
    """Where it stands, base file, text of a place or None, line: of each."""
    for number, row in enumerate(rows, 1):
        row = row.rstrip('\n')
        if not row.strip() or row.startswith('#'):
            continue
        where = f'{HOOKS}:{number}'
        match = HOOK.fullmatch(row)
        if not match:
            sys.exit(f'{where}: not of the form "<base file>: <line>" or '
                     '"<base file> after `<text>`: <line>"')
        yield where, match[1], match[2], match[3] or ''


def adapt(texts, where, edits):
    for number, edit in enumerate(edits, 1):
        here = f'{where}: edit {number}'
        demand(here, edit, COMPAT_KEYS)
        texts.replace(here, edit['file'], edit['find'], edit['put'])


def read_table(top, name, key):
    """The rows of a table that has nothing but such rows."""
    path = os.path.join(top, name)
    if not os.path.exists(path):
        return []
    with open(path, 'rb') as table:
        try:
            rows = tomllib.load(table)
        except tomllib.TOMLDecodeError as error:
            sys.exit(f'{name}: {error}')
    demand(name, rows, {key: list}, (key,))
    return rows.get(key, [])


def read_texts(top, base, plan):
    """Maps a base file to the text that it must have."""
    texts = Texts(base, plan)
    correct(texts, release_of(base), read_table(top, CORRECTIONS, 'fault'))
    edits = os.path.join(compat_folder(base), 'edits.toml')
    adapt(texts, edits, read_table(top, edits, 'edit'))
    path = os.path.join(top, HOOKS)
    if os.path.exists(path):
        with open(path, encoding='utf-8') as table:
            for hook in read_hooks(table):
                texts.add(*hook)
    return texts.texts
