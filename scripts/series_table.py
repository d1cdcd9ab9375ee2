# SPDX-License-Identifier: GPL-2.0-or-later
"""The commits of the series: scripts/series/commits.toml, read and checked.

Each file that configure lays, each row of base-hooks.txt, each fault of
base-corrections.toml and what compat/RELEASE has for this base have to be in
exactly one commit.  What is not right ends the program, by name.
"""

import fnmatch
import os
import sys
import tomllib

import overlay
import overlay_texts

FOLDER = 'scripts/series'
TABLE = f'{FOLDER}/commits.toml'
DRAFTS = f'{FOLDER}/drafts'
COMMIT_KEYS = {'id': str, 'part': str, 'subject': str, 'why': str,
               'files': list, 'hooks': list, 'fault': str, 'built': str,
               'compat': list, 'move': str}
LATER_KEYS = {'file': str, 'with': str, 'draft': bool, 'text': str,
              'instead': str, 'from': str, 'to': str}


def die(text):
    sys.exit(f'{TABLE}: {text}')


def hook_labels(hooks):
    """What patterns of the table see of each hook, in order.

    In MAINTAINERS, what is no F: line goes by the name of its section; the
    empty line above it does too.
    """
    labels, section, empty = [], '', []
    for _, name, _, line in hooks:
        if name == 'MAINTAINERS' and not line.startswith('F:'):
            if not line:
                empty.append(len(labels))
            elif line[1:2] != ':':
                section = line
            labels.append(f'{name}: {section}')
            if line:
                for at in empty:
                    labels[at] = labels[-1]
                empty = []
        else:
            labels.append(f'{name}: {line}')
    return labels


class Table:
    """The table, against what overlay.py makes of a base."""

    def __init__(self, top, base):
        self.top, self.base = top, base
        self.plan = overlay.wanted(top, base)
        self.release = overlay_texts.release_of(base)
        with open(os.path.join(top, TABLE), 'rb') as file:
            rows = tomllib.load(file)
        overlay_texts.demand(TABLE, rows, {'commit': list, 'later': list})
        self.commits, self.later = rows['commit'], rows['later']
        with open(os.path.join(top, overlay_texts.HOOKS),
                  encoding='utf-8') as file:
            self.hooks = list(overlay_texts.read_hooks(file))
        with open(os.path.join(top, overlay_texts.CORRECTIONS),
                  'rb') as file:
            self.faults = tomllib.load(file).get('fault', [])
        self.ids = {}
        for at, commit in enumerate(self.commits):
            where = f'{TABLE}: commit {at + 1}'
            overlay_texts.demand(
                where, commit, COMMIT_KEYS,
                set(COMMIT_KEYS) - {'subject'})
            if 'id' in commit:
                self.ids[commit['id']] = at
        links = [path for path, (kind, _) in self.plan.items()
                 if kind == 'link']
        self.compat = self.read_compat()
        adapted = {row['file'] for row in self.compat}
        shims = {path for path in links
                 if self.source(path).startswith('compat/')}
        # of one release only, so that patterns need not find anything
        self.compat_when = self.assign('compat', sorted(adapted | shims), False)
        self.when = self.assign('files', [path for path in links
                                          if path not in shims])
        self.when.update({path: self.compat_when[path] for path in shims})
        self.hook_when = self.assign_hooks()
        self.fault_when = self.assign_faults()
        self.built = {path: self.at(self.commits[at].get('built'), at)
                      for path, at in self.when.items()}
        moves = {commit.get('move'): at
                 for at, commit in enumerate(self.commits)}
        if 'away' not in moves or 'gone' not in moves:
            die('no commit moves the base\'s layer "away" and "gone"')
        self.away, self.gone = moves['away'], moves['gone']
        for row in self.later:
            overlay_texts.demand(TABLE, row, LATER_KEYS,
                                 set(LATER_KEYS) - {'file', 'with'})
            self.at(row['with'], 0)

    def at(self, name, default):
        """Number of the commit with an id."""
        if name is None:
            return default
        if name not in self.ids:
            die(f'no commit has the id "{name}"')
        return self.ids[name]

    def source(self, path):
        """Where a file of ours stands in this repository."""
        return self.plan[path][1] or path

    def read_compat(self):
        """Edits of base files of this release."""
        path = os.path.join(self.top, 'compat', self.release, 'edits.toml')
        if not os.path.exists(path):
            return []
        with open(path, 'rb') as file:
            return tomllib.load(file).get('edit', [])

    def assign(self, key, names, all_patterns=True):
        """Maps each name to the one commit whose patterns take it."""
        found = {}
        for at, commit in enumerate(self.commits):
            for pattern in commit.get(key, []):
                hits = [name for name in names
                        if fnmatch.fnmatchcase(name, pattern)]
                if not hits and all_patterns:
                    die(f'"{commit["subject"]}": nothing is named {pattern}')
                for name in hits:
                    if found.setdefault(name, at) != at:
                        die(f'{name} is in two commits: "'
                            f'{self.commits[found[name]]["subject"]}" and "'
                            f'{commit["subject"]}"')
        for name in names:
            if name not in found:
                die(f'{name} is in no commit')
        return found

    def assign_hooks(self):
        labels = hook_labels(self.hooks)
        found = self.assign('hooks', labels)
        return [found[label] for label in labels]

    def assign_faults(self):
        found = {}
        for at, commit in enumerate(self.commits):
            name = commit.get('fault')
            if name and found.setdefault(name, at) != at:
                die(f'the fault "{name}" is in two commits')
        names = [fault['name'] for fault in self.faults]
        for name in names:
            if name not in found:
                die(f'the fault "{name}" is in no commit')
        for name in found.keys() - set(names):
            die(f'there is no fault "{name}"')
        return found

    def why(self, commit):
        """The text of a commit, paragraphs of one line each."""
        text = commit.get('why')
        if text is None:
            text = next((fault['why'] for fault in self.faults
                         if fault['name'] == commit.get('fault')), '')
        parts = text.strip().split('\n\n')
        return [' '.join(part.split()) for part in parts if part.strip()]
