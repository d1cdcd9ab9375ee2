#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""This tree as a series of commits on a QEMU release.

Makes build/series, a git repository whose branch "cxl" begins at the base
that is configured; --onto adds that branch to a repository of QEMU at the same
release instead, and leaves what is checked out there alone.
scripts/series/commits.toml has the commits, docs/contributing.md says how to
keep it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import textwrap

import overlay_texts
import series_check
import series_mail
from series_states import States
from series_table import Table

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BRANCH = 'cxl'


def say(text):
    print(f'== {text}', file=sys.stderr, flush=True)


class Repository:
    """A git repository; what fails in it ends the program."""

    def __init__(self, folder):
        self.folder = folder

    def git(self, *args, stdin=None):
        done = subprocess.run(['git', '-C', self.folder, *args], input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        if done.returncode:
            sys.exit(f'git {args[0]} in {self.folder}: '
                     f'{done.stderr.decode().strip()}')
        return done.stdout.decode().strip()


def author():
    """The author that git is configured with, as git writes it."""
    done = subprocess.run(['git', '-C', TOP, 'var', 'GIT_AUTHOR_IDENT'],
                          stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode:
        sys.exit('tell git who signs the commits: git config user.name and '
                 'user.email')
    return done.stdout.rsplit('>', 1)[0].strip() + '>'


def configured_base(source='build/src'):
    """Folder of the base, as configure wrote it down."""
    try:
        with open(os.path.join(TOP, source + '.base'),
                  encoding='utf-8') as file:
            return file.read().rsplit(' ', 1)[0].strip()
    except FileNotFoundError:
        sys.exit(f'{source} is not there: ./configure')


def new_repository(folder, base, who):
    """A repository whose first commit is the base; made once for a base."""
    with open(os.path.join(base, 'VERSION'), encoding='utf-8') as file:
        version = file.read().strip()
    mark = os.path.join(folder, '.git', 'base')
    if os.path.exists(mark):
        with open(mark, encoding='utf-8') as file:
            if file.read() == f'{base} {version}':
                return Repository(folder)
    say(f'a git repository of QEMU {version}: {os.path.relpath(folder)}')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    repository = Repository(folder)
    name, _, mail = who.rpartition(' <')
    repository.git('init', '-q', '-b', 'base')
    repository.git('config', 'user.name', name)
    repository.git('config', 'user.email', mail.rstrip('>'))
    repository.git('config', 'gc.auto', '0')
    repository.git(f'--work-tree={base}', 'add', '-A', '-f', '--', '.',
                   ':(exclude).pc')
    repository.git('commit', '-q', '-m', f'QEMU {version}')
    with open(mark, 'w', encoding='utf-8') as file:
        file.write(f'{base} {version}')
    return repository


def message(table, commit, who):
    paragraphs = [commit['subject']]
    for text in table.why(commit):
        paragraphs.append(textwrap.fill(text, 72, break_long_words=False,
                                        break_on_hyphens=False))
    paragraphs.append(f'Signed-off-by: {who}')
    return '\n\n'.join(paragraphs) + '\n'


def mode_of(base, path):
    original = os.path.join(base, path)
    return '100755' if os.path.isfile(original) and \
        os.access(original, os.X_OK) else '100644'


def write_commits(repository, table, who, first):
    """Puts the commits on the branch, behind the commit "first"."""
    date = repository.git('log', '-1', '--format=%cd', '--date=raw', first)
    states, before, stream, count = States(table), {}, [], 0

    def data(content):
        stream.append(b'data %d\n%b\n' % (len(content), content))

    for number, commit in enumerate(table.commits):
        state = states.state(number)
        changed = sorted(path for path in state.keys() | before.keys()
                         if state.get(path, b'') != before.get(path, b'') or
                         (path in state) != (path in before))
        if not changed:
            # a fault that this release does not have
            continue
        count += 1
        stream.append(f'commit refs/heads/{BRANCH}\nauthor {who} {date}\n'
                      f'committer {who} {date}\n'.encode())
        data(message(table, commit, who).encode())
        if count == 1:
            stream.append(f'from {first}\n'.encode())
        for path in changed:
            content = state.get(path, b'')
            original = os.path.join(table.base, path)
            if path not in state:
                # as the base has it, if it has it
                content = None
                if os.path.isfile(original):
                    with open(original, 'rb') as file:
                        content = file.read()
            if content is None:
                stream.append(f'D {path}\n'.encode())
            else:
                mode = mode_of(table.base, path)
                stream.append(f'M {mode} inline {path}\n'.encode())
                data(content)
        before = state
    repository.git('fast-import', '--quiet', '--force', stdin=b''.join(stream))
    return count


def onto(folder, want):
    """A user's repository, its first commit, and a base to look at."""
    repository = Repository(os.path.abspath(folder))
    if repository.git('status', '--porcelain', '--untracked-files=no'):
        sys.exit(f'{folder} has changes that are in no commit')
    root = repository.git('rev-parse', '--show-toplevel')
    if not os.path.isfile(os.path.join(root, 'VERSION')):
        sys.exit(f'{folder} is no repository of QEMU: it has no VERSION')
    branches = repository.git('branch', '--list', BRANCH)
    if branches.startswith('*'):
        sys.exit(f'{folder} is on the branch {BRANCH}, which is to be made: '
                 'check out the release')
    have = overlay_texts.release_of(root)
    if have != want:
        sys.exit(f'{folder} is QEMU {have}, and {want} is configured')
    return repository, repository.git('rev-parse', 'HEAD'), root


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--onto', metavar='DIR',
                        help='a git tree of QEMU at the release that is '
                             'configured: gets the branch "cxl"')
    parser.add_argument('--check', action='store_true',
                        help='build and test each commit; goes on where it '
                             'was stopped')
    parser.add_argument('--mail', action='store_true',
                        help='write patches and a cover letter to '
                             'build/series-mail')
    parser.add_argument('--source', default='build/src', metavar='DIR',
                        help='sources that configure laid, for its base '
                             '[build/src]; build/src-X makes build/series-X')
    args = parser.parse_args()
    who = author()
    base = configured_base(args.source)
    folder = os.path.join(TOP, 'build/series' +
                          os.path.basename(args.source).removeprefix('src'))
    if args.onto:
        repository, first, base = onto(args.onto,
                                       overlay_texts.release_of(base))
    else:
        repository = new_repository(folder, base, who)
        first = 'base'
    table = Table(TOP, base)
    first = repository.git('rev-parse', f'{first}^0')
    count = write_commits(repository, table, who, first)
    if not args.onto:
        repository.git('checkout', '-q', '--force', BRANCH)
    say(f'{count} commits on the branch {BRANCH} of {repository.folder}')
    if args.mail:
        series_mail.write(TOP, folder + '-mail', repository, first, BRANCH,
                          table)
    if args.check:
        return series_check.check(TOP, folder + '-check', repository, first,
                                  BRANCH)
    return 0


if __name__ == '__main__':
    sys.exit(main())
