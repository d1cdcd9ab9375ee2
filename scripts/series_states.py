# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tree of each commit of the series holds.

A state maps the paths that differ from the base to their bytes, or to None
where the base's file is gone.  All of it follows from the table and the
files of this repository; nothing is patched from commit to commit.
"""

import os
import re

import overlay
import overlay_texts
from series_table import DRAFTS, die

INCLUDE = re.compile(r'(#include ")hw/cxl/([^"/]+)(")')
OLD = 'hw/cxl/old'
# of the layer that gives room, these stay: nothing of ours is built by them
STAY = ('hw/cxl/Kconfig',)
AWAY = ('hw/cxl/', 'include/hw/cxl/')
AWAY_TOO = {'hw/mem/cxl_type3.c': f'{OLD}/cxl_type3.c'}
# how base files name what was moved, other than by #include
RENAMED = {'hw/mem/meson.build': ("files('cxl_type3.c')",
                                  "files('../cxl/old/cxl_type3.c')")}

QUOTED_SOURCE = re.compile(r"'([^'@]+\.(?:c|inc))'")


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def statements(text):
    """Lines of a meson.build, those of one bracket together."""
    taken, depth = [], 0
    for line in text.splitlines(keepends=True):
        taken.append(line)
        bare = line if line.lstrip().startswith('#') is False else ''
        depth += sum(bare.count(c) for c in '([{')
        depth -= sum(bare.count(c) for c in ')]}')
        whole = ''.join(taken)
        # lists with a file or row per line are looked at line by line
        opens = depth > 0 and re.search(r'[(\[{]\n$', line)
        if depth <= 0 or opens or line.rstrip().endswith(','):
            if depth <= 0 or opens or balanced(whole):
                yield whole
                taken = []
    if taken:
        yield ''.join(taken)


def balanced(text):
    return all(text.count(a) == text.count(b) for a, b in ('()', '[]', '{}'))


class States:
    """States of all commits; number -1 is the base."""

    def __init__(self, table):
        self.table = table
        self.top, self.base = table.top, table.base
        self.moved = self.find_moved()
        self.including = self.find_including()
        self.ours = {path: read(self.source(path)) for path in table.when}
        self.drafts = {
            path: read(os.path.join(self.top, DRAFTS, path)).decode()
            for path in overlay.files_below(
                os.path.join(self.top, DRAFTS), '.')}
        self.drafts = {os.path.normpath(path): text
                       for path, text in self.drafts.items()}
        for path in self.drafts:
            if path not in table.when:
                die(f'the draft {path} is of no file of ours')

    def source(self, path):
        return os.path.join(self.top, self.table.source(path))

    def find_moved(self):
        """Maps each file of the base's layer to where it makes room."""
        moved = {}
        for path in self.table.plan:
            if path in STAY or not os.path.exists(
                    os.path.join(self.base, path)):
                continue
            for folder in AWAY:
                if path.startswith(folder):
                    moved[path] = f'{folder}old/{path[len(folder):]}'
            if path in AWAY_TOO:
                moved[path] = AWAY_TOO[path]
        return moved

    def find_including(self):
        """Base files that include a header of that layer."""
        headers = {path[len('include/'):] for path in self.moved
                   if path.startswith('include/')}
        found = set()
        for folder in ('accel', 'backends', 'hw', 'include', 'migration',
                       'monitor', 'system', 'target', 'tests', 'util'):
            for path in overlay.files_below(self.base, folder):
                if path.endswith(('.c', '.h', '.inc')) and \
                   not os.path.islink(os.path.join(self.base, path)):
                    text = read(os.path.join(self.base, path))
                    if b'"hw/cxl/' in text and any(
                            f'"{name}"'.encode() in text for name in headers):
                        found.add(path)
        return found

    def old_names(self, text):
        """Text of a base file while the layer is away."""
        return INCLUDE.sub(
            lambda match: f'{match[1]}hw/cxl/old/{match[2]}{match[3]}'
            if f'include/hw/cxl/{match[2]}' in self.moved else match[0], text)

    def texts(self, number):
        """Base files with the corrections and hooks up to a commit."""
        table = self.table
        texts = overlay_texts.Texts(
            self.base, {path: row for path, row in table.plan.items()
                        if row[0] != 'text'})
        overlay_texts.correct(texts, table.release, [
            fault for fault in table.faults
            if table.fault_when[fault['name']] <= number])
        for row in table.compat:
            if table.compat_when[row['file']] <= number:
                texts.replace('compat', row['file'], row['find'], row['put'])
        for hook, when in zip(table.hooks, table.hook_when):
            if when <= number:
                texts.add(*hook)
        return texts.texts

    def without_later(self, path, text, number, draft):
        for row in self.table.later:
            if row['file'] != path or row.get('draft', False) != draft or \
               self.table.ids[row['with']] <= number:
                continue
            begin = row.get('text') or row.get('from', '')
            if text.count(begin) != 1:
                die(f'{path} has this {text.count(begin)} times: {begin}')
            start = text.index(begin)
            end = start + len(begin) if 'text' in row else len(text)
            if 'to' in row:
                end = text.find(row['to'], start)
                if end < 0:
                    die(f'{path} lacks this behind "{begin}": {row["to"]}')
            text = text[:start] + row.get('instead', '') + text[end:]
        return text

    def grown(self, path, text, built):
        """A meson.build, without what is not there yet."""
        folder = os.path.dirname(path)

        def there(name):
            return name in built or \
                os.path.normpath(os.path.join(folder, name)) in built

        defined = set()
        for name in built:
            if name.endswith('meson.build') and name != path:
                defined |= set(re.findall(r'^ *(\w+) = ',
                                          self.ours[name].decode(),
                                          re.MULTILINE))
        defined |= set(re.findall(r'^ *(\w+) = ', text, re.MULTILINE))
        kept, notes = [], []
        for statement in statements(text):
            code = statement.strip()
            row = re.match(r"'([\w-]+)'[:,]", code)
            subdir = re.fullmatch(r"subdir\('([^']+)'\)", code)
            adds = re.fullmatch(r'\w+ \+= (\w+)', code)
            if code.startswith('#'):
                notes.append(statement)
                continue
            if not all(there(name) for name in
                         QUOTED_SOURCE.findall(statement)):
                gone = True
            elif row and (row[1].startswith('test-') or
                          row[1].endswith('-test')) and \
                    not there(f'{row[1]}.c'):
                gone = True
            elif subdir and not there(f'{subdir[1]}/meson.build') and \
                    subdir[1] != 'old':
                gone = True
            elif adds and adds[1] not in defined:
                gone = True
            else:
                gone = False
            # what is said of a line goes with it
            if not gone or row:
                kept += notes
            notes = []
            if not gone:
                kept.append(statement)
        grown = ''.join(kept + notes)
        if grown != text:
            grown = re.sub(r'\n\n\n+', '\n\n', grown).rstrip('\n') + '\n'
        return grown

    def state(self, number):
        table, state = self.table, {}
        away = table.away <= number < table.gone
        for path, text in self.texts(number).items():
            state[path] = text.encode()
        if away:
            for path in self.including:
                if path not in self.moved:
                    text = state.get(path)
                    text = read(os.path.join(self.base, path)) \
                        if text is None else text
                    state[path] = self.old_names(text.decode()).encode()
            for path, (find, put) in RENAMED.items():
                text = state.get(path) or read(os.path.join(self.base, path))
                if text.count(find.encode()) != 1:
                    die(f'{path} does not have once: {find}')
                state[path] = text.replace(find.encode(), put.encode())
            for path, new in self.moved.items():
                state[path] = None
                text = read(os.path.join(self.base, path)).decode()
                state[new] = self.old_names(text).encode()
        if number >= table.gone:
            for path, (kind, _) in table.plan.items():
                if kind == 'gone':
                    state[path] = None
            for path in self.moved:
                state.setdefault(path, None)
        present = {path for path, at in table.when.items() if at <= number}
        built = {path for path in present if table.built[path] <= number}
        for path in present:
            draft = away and path in self.drafts
            content = self.ours[path]
            texts = any(row['file'] == path for row in table.later)
            if draft or texts or path.endswith('meson.build'):
                text = self.drafts[path] if draft else content.decode()
                text = self.without_later(path, text, number, draft)
                if path.endswith('meson.build'):
                    text = self.grown(path, text, built)
                content = text.encode()
            state[path] = content
        # what is as in the base is no difference
        for path, content in list(state.items()):
            original = os.path.join(self.base, path)
            if content is None:
                if not os.path.lexists(original):
                    del state[path]
            elif os.path.isfile(original) and read(original) == content:
                del state[path]
        return state

    def final(self):
        """The state that configure lays."""
        state = {}
        for path, (kind, text) in self.table.plan.items():
            state[path] = (self.ours[path] if kind == 'link' else
                           None if kind == 'gone' else text.encode())
        return state
