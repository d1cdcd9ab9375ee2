# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds and tests each commit of the series, in one build folder.

A step is: the patch passes checkpatch.pl, ninja builds QEMU and every test
program of ours that the commit has, and the tests run that are new or were
linked anew since they passed; the base's own tests of CXL run when QEMU was.
build/series-check/done remembers the steps that are over by what they are made
of, and "tested" the programs, so a run goes on where another was stopped or
failed.
"""

import concurrent.futures
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

# MAINTAINERS has patterns for files that do not exist yet; a style test of
# `make check` holds files against them. The licence is that of a file of the
# base that is replaced: it stands in a line that goes.
EXPECTED = ('added, moved or deleted file(s), does MAINTAINERS need updating',
            "Saw unacceptable licenses 'GPL-v2-only'")
# limits of tests are those of an idle machine
SLACK = 4


def out(text):
    print(text, flush=True)


class Check:
    """The worktree, the build folder and the log."""

    def __init__(self, top, folder, repository):
        self.top, self.repository = top, repository
        self.folder = folder
        # beside each other as in build/, so that ccache knows the paths
        self.src = os.path.join(self.folder, 'src')
        self.qemu = os.path.join(self.folder, 'qemu')
        self.log = os.path.join(self.folder, 'log')
        self.done = os.path.join(self.folder, 'done')
        self.tests_py = os.path.join(top, 'scripts/base-tests.py')
        os.makedirs(self.folder, exist_ok=True)
        self.env = dict(os.environ, CCACHE_NOHASHDIR='1',
                        CCACHE_BASEDIR=self.folder)
        self.tested_at = os.path.join(self.folder, 'tested')
        try:
            with open(self.tested_at, encoding='utf-8') as file:
                self.tested = json.load(file)
        except FileNotFoundError:
            self.tested = {}

    def run(self, command, folder=None, limit=None, stdin=None):
        """Runs a command with its output in the log; tells if it failed."""
        with open(self.log, 'ab') as log:
            log.write(f'\n$ {" ".join(command)}\n'.encode())
            log.flush()
            try:
                done = subprocess.run(
                    command, cwd=folder or self.folder, env=self.env,
                    stdout=log, stderr=subprocess.STDOUT, timeout=limit,
                    input=stdin, check=False)
            except subprocess.TimeoutExpired:
                log.write(f'stopped after {limit} seconds\n'.encode())
                return False
        return done.returncode == 0

    def run_test(self, row):
        """Runs one of several tests at a time: its output is in one piece."""
        name, (_, _, seconds) = row
        command = [sys.executable, self.tests_py, self.qemu, 'run', name]
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=self.env, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=seconds * SLACK)
            text, passed = done.stdout, done.returncode == 0
        except subprocess.TimeoutExpired as error:
            text = (error.stdout or b'') + (
                f'stopped after {seconds * SLACK} seconds\n'.encode())
            passed = False
        with open(self.log, 'ab') as log:
            log.write(f'\n$ {" ".join(command)}\n'.encode() + text)
        return name, passed

    def checkout(self, commit):
        if not os.path.isdir(self.src):
            self.repository.git('worktree', 'prune')
            self.repository.git('worktree', 'add', '-q', '--detach', self.src,
                                commit)
        self.repository.git('-C', self.src, 'checkout', '-q', '--force',
                            '--detach', commit)

    def configure(self):
        """With the options of the main build."""
        if os.path.exists(os.path.join(self.qemu, 'build.ninja')):
            return True
        with open(os.path.join(self.top, 'build/signature'),
                  encoding='utf-8') as file:
            options = [line for line in file.read().split('\n')
                       if line.startswith('--')]
        # in a git tree QEMU's default is -Werror: with other options than the
        # main build's, ccache would know nothing; see step()
        options.append('--disable-werror')
        os.makedirs(self.qemu, exist_ok=True)
        if not self.run([os.path.join(self.src, 'configure'), *options],
                        self.qemu):
            return False
        # meson would take it from there when it runs again by itself
        cross = os.path.join(self.qemu, 'config-meson.cross')
        with open(cross, encoding='utf-8') as file:
            text = file.read().replace('werror = true\n', '')
        with open(cross, 'w', encoding='utf-8') as file:
            file.write(text)
        # firmware, as configure does it
        paths = next(option.split('=', 1)[1] for option in options
                     if option.startswith('--firmwarepath='))
        for path in paths.split(':'):
            link = os.path.join(self.qemu, 'qemu-bundle' + path)
            os.makedirs(os.path.dirname(link), exist_ok=True)
            if not os.path.lexists(link):
                os.symlink(path, link)
        return True

    def checkpatch(self, commit):
        # what a file was that goes is nobody's style
        patch = self.repository.git('format-patch', '-M80%', '-D', '-1',
                                    '--stdout', commit)
        done = subprocess.run(
            ['perl', os.path.join(self.src, 'scripts/checkpatch.pl'),
             '--no-tree', '--terse', '--no-summary', '-'],
            input=patch + '\n', stdout=subprocess.PIPE, text=True, check=False,
            stderr=subprocess.STDOUT, cwd=self.src)
        wrong = [line for line in done.stdout.splitlines()
                 if line.strip() and not any(text in line
                                             for text in EXPECTED)]
        with open(self.log, 'a', encoding='utf-8') as log:
            log.write('\n$ checkpatch.pl\n' + done.stdout)
        return wrong

    def listed(self):
        """Maps each test that is ours to its program and its seconds."""
        rows = subprocess.run(
            [sys.executable, self.tests_py, self.qemu, 'list'],
            stdout=subprocess.PIPE, text=True, check=True).stdout
        with open(os.path.join(self.qemu, 'meson-info/intro-tests.json'),
                  encoding='utf-8') as file:
            programs = {row['name'].replace(':', '-'): row['cmd'][0]
                        for row in json.load(file)}
        tests = {}
        for row in rows.splitlines():
            name, suite, seconds, _ = row.split('\t')
            tests[name] = (programs[name], suite, int(seconds))
        return tests

    def libraries(self):
        """libcxl.a and libmctp.a, where nothing links them yet."""
        with open(os.path.join(self.qemu, 'meson-info/intro-targets.json'),
                  encoding='utf-8') as file:
            return [os.path.relpath(row['filename'][0], self.qemu)
                    for row in json.load(file)
                    if row['name'] in ('cxl', 'mctp') and
                    row['type'] == 'static library']

    def passed(self, name, when):
        self.tested[name] = when
        with open(self.tested_at + '.part', 'w', encoding='utf-8') as file:
            json.dump(self.tested, file, indent=0)
        os.replace(self.tested_at + '.part', self.tested_at)

    def step(self, commit):
        """Returns what is wrong, or None, and how many tests ran."""
        self.checkout(commit)
        wrong = self.checkpatch(commit)
        if wrong:
            return 'checkpatch.pl: ' + '\n'.join(wrong[:20]), 0
        if not self.configure():
            return 'configure', 0
        system = os.path.join(self.qemu, 'qemu-system-x86_64')
        if not self.run(['ninja', '-C', self.qemu, 'build.ninja']):
            return 'meson', 0
        tests = self.listed()
        targets = sorted({os.path.relpath(row[0], self.qemu)
                          for row in tests.values()})
        with open(os.path.join(self.qemu, 'build.ninja'),
                  encoding='utf-8') as file:
            if '\nbuild cxl-bench:' in file.read():
                targets.append('cxl-bench')
        size = os.path.getsize(self.log)
        if not self.run(['ninja', '-C', self.qemu, 'qemu-system-x86_64',
                         *self.libraries(), *targets]):
            return 'ninja', 0
        with open(self.log, encoding='utf-8', errors='replace') as log:
            log.seek(size)
            warnings = [line for line in log if ': warning: ' in line]
        if warnings:
            return 'a warning: ' + warnings[0].strip(), 0
        when = {name: os.stat(system if suite == 'base' else
                              program).st_mtime_ns
                for name, (program, suite, _) in tests.items()}
        todo = [row for row in tests.items()
                if self.tested.get(row[0]) != when[row[0]]]
        failed = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for name, passed in pool.map(self.run_test, todo):
                if passed:
                    self.passed(name, when[name])
                else:
                    failed.append(name)
        return ('tests ' + ', '.join(failed) if failed else None), len(todo)


def check(top, folder, repository, first, branch):
    checker = Check(top, folder, repository)
    # not two in one build folder, and no ninja that goes on alone
    with open(os.path.join(folder, 'lock'), 'w', encoding='utf-8') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f'another run works in {folder}')
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return check_all(checker, repository, first, branch)


def check_all(checker, repository, first, branch):
    commits = repository.git('rev-list', '--reverse',
                             f'{first}..{branch}').split()
    try:
        with open(checker.done, encoding='utf-8') as file:
            done = {line.split(' ', 1)[0] for line in file}
    except FileNotFoundError:
        done = set()
    tests = skipped = 0
    for number, commit in enumerate(commits, 1):
        tree = repository.git('rev-parse', f'{commit}^{{tree}}')
        parent = repository.git('rev-parse', f'{commit}^^{{tree}}')
        subject = repository.git('log', '-1', '--format=%s', commit)
        key = f'{parent[:16]}-{tree[:16]}'
        where = f'{number:2}/{len(commits)} {subject}'
        if key in done:
            skipped += 1
            out(f'ok {where} (before)')
            continue
        began = time.monotonic()
        wrong, count = checker.step(commit)
        tests += count
        seconds = int(time.monotonic() - began)
        if wrong:
            out(f'not ok {where}: {wrong}')
            out(f'{checker.log} has the rest')
            return 1
        out(f'ok {where} ({count} tests, {seconds} s)')
        with open(checker.done, 'a', encoding='utf-8') as file:
            file.write(f'{key} {subject}\n')
    out(f'{len(commits)} commits pass checkpatch.pl, build and pass their '
        f'tests; {tests} test programs run, {skipped} commits were checked '
        'before')
    return 0
