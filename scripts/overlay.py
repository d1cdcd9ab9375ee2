#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lays this tree over a copy of the base and keeps it so.

Five rules make the source tree that is built, build/src:
 - each of our files below ROOTS is linked at its path, in place of a base
   file of that name;
 - so is each below ROOTS of compat/RELEASE, for a base of that release, which
   has no such file itself;
 - in OWNED folders that hold a file of ours, no base file stays;
 - the texts of scripts/base-corrections.toml and compat/RELEASE/edits.toml
   replace those of the base files that they name;
 - the lines of scripts/base-hooks.txt are added to theirs.
What no rule covers is the base's. A run compares this with what stands
there and changes only what differs, so that ninja rebuilds only what it
must; what the last run changed and no rule asks for any more is put back.
"""

import argparse
import json
import os
import shutil
import sys

import overlay_texts

ROOTS = ('hw', 'include', 'qapi', 'stubs', 'system', 'util', 'docs/interop', 'docs/system',
         'tests/unit', 'tests/qtest', 'tests/bench/cxl', 'tests/fuzz',
         'tests/data', 'tools/cxl-poold')
OWNED = ('hw/cxl', 'include/hw/cxl', 'hw/mctp', 'include/hw/mctp')
STATE = '.overlay.json'
# left behind by editors and merges
NOISE = ('~', '.swp', '.orig', '.rej')


def files_below(top, folder):
    """Paths, relative to top, of the files below one of its folders."""
    for where, dirs, names in os.walk(os.path.join(top, folder)):
        dirs[:] = [d for d in dirs if d != '__pycache__']
        for name in names:
            if not name.endswith(NOISE) and not name.startswith('.#'):
                yield os.path.relpath(os.path.join(where, name), top)


def wanted(top, base):
    """Maps each path that is not the base's own to what it must be."""
    plan = {}
    for root in ROOTS:
        for path in files_below(top, root):
            plan[path] = ('link', path)
    compat = overlay_texts.compat_folder(base)
    for root in ROOTS:
        for path in files_below(os.path.join(top, compat), root):
            ours = os.path.join(compat, path)
            if path in plan or os.path.exists(os.path.join(base, path)):
                sys.exit(f'{ours}: there is such a file without it')
            plan[path] = ('link', ours)
    linked = set(plan)
    for folder in OWNED:
        if any(path.startswith(folder + '/') for path in linked):
            for path in files_below(base, folder):
                plan.setdefault(path, ('gone', ''))
    for path, text in overlay_texts.read_texts(top, base, plan).items():
        plan[path] = ('text', text)
    return plan


class Tree:
    """The source tree that is built."""

    def __init__(self, top, base, src):
        self.top, self.base, self.src = top, base, src
        self.state = os.path.join(src, STATE)
        self.changed = []
        try:
            with open(self.state, encoding='utf-8') as file:
                self.before = set(json.load(file))
            self.fresh = False
        except FileNotFoundError:
            self.before = set()
            self.fresh = True

    def at(self, path):
        return os.path.join(self.src, path)

    def remove(self, path):
        if os.path.lexists(self.at(path)):
            os.unlink(self.at(path))
            return True
        return False

    def link(self, path, ours):
        ours = os.path.join(self.top, ours)
        target = os.path.relpath(ours, os.path.dirname(self.at(path)))
        if os.path.islink(self.at(path)) and \
           os.readlink(self.at(path)) == target:
            return
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        self.remove(path)
        os.symlink(target, self.at(path))
        if not self.fresh:
            # ninja looks at times only: a file that is older than what was
            # built from the one before it would not be compiled
            os.utime(ours)
        self.changed.append(path)

    def write(self, path, text):
        if not os.path.islink(self.at(path)) and \
           os.path.exists(self.at(path)):
            with open(self.at(path), encoding='utf-8') as file:
                if file.read() == text:
                    return
        self.remove(path)
        with open(self.at(path), 'w', encoding='utf-8') as file:
            file.write(text)
        shutil.copymode(os.path.join(self.base, path), self.at(path))
        self.changed.append(path)

    def gone(self, path):
        if self.remove(path):
            self.changed.append(path)

    def restore(self, path):
        original = os.path.join(self.base, path)
        self.remove(path)
        if os.path.lexists(original):
            os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
            # with a new time, see link()
            shutil.copy(original, self.at(path), follow_symlinks=False)
        else:
            folder = os.path.dirname(self.at(path))
            while folder != self.src and os.path.isdir(folder) and \
                    not os.listdir(folder):
                os.rmdir(folder)
                folder = os.path.dirname(folder)
        self.changed.append(path)

    def apply(self, plan):
        # noted first: after an interruption each of them is looked at again
        left = sorted(self.before - set(plan))
        self.note(self.before | set(plan))
        for path in left:
            self.restore(path)
        for path, (kind, text) in sorted(plan.items()):
            if kind == 'link':
                self.link(path, text)
            elif kind == 'gone':
                self.gone(path)
            else:
                self.write(path, text)
        self.note(set(plan))

    def note(self, paths):
        if paths == self.before and os.path.exists(self.state):
            return
        with open(self.state + '.part', 'w', encoding='utf-8') as file:
            json.dump(sorted(paths), file, indent=0)
        os.replace(self.state + '.part', self.state)
        self.before = paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('top', help='this repository')
    parser.add_argument('base', help='the unmodified base')
    parser.add_argument('src', help='the copy of the base that is built')
    args = parser.parse_args()
    tree = Tree(os.path.abspath(args.top), os.path.abspath(args.base),
                os.path.abspath(args.src))
    tree.apply(wanted(tree.top, tree.base))
    if tree.changed:
        count = len(tree.changed)
        shown = ' '.join(tree.changed[:4])
        more = f' and {count - 4} more' if count > 4 else ''
        print(f'== overlay: {shown}{more} laid or put back', file=sys.stderr)


if __name__ == '__main__':
    main()
