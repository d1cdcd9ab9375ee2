#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each error and warning of ours has a row in errors.toml that leads to it.

usage: test-errors.py QEMU TREE [TEXT]    TEXT: only rows that hold it
"""

import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib

qemu, tree, *only = sys.argv[1:]
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(tree, 'scripts'),
                os.path.join(tree, 'tests/tools')]

# pylint: disable=wrong-import-position
import guest_qemu
from cases import cases, main, named
from fm_machine import PATIENCE, Machine
from qmp_monitor import Monitor, step

with open(os.path.join(HERE, 'errors.toml'), 'rb') as table:
    TABLE = tomllib.load(table)

# -- the sources ------------------------------------------------------------

CALL = re.compile(r'\b(?:error_setg(?:_errno|_file_open)?|error_prepend|'
                  r'error_append_hint|(?:error|warn|info)_report(?:_once)?|'
                  r'warn_report_once_cond)\s*\(')
# Literals that follow each other, with macros like PRIx64 between them
TEXT = re.compile(r'(?:\b(?:PRI[diux]\d+|TYPE_\w+)\s*)*'
                  r'"(?:[^"\\]|\\.)*"'
                  r'(?:\s*(?:"(?:[^"\\]|\\.)*"|PRI[diux]\d+|TYPE_\w+))*')
PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"|PRI([diux])\d+|TYPE_\w+')
FIELD = re.compile(r'%(?:%|[-0-9.#]*(?:z|l|ll|h)?([a-z]))')
PATTERN = {'u': r'\d+', 'd': r'-?\d+', 'i': r'-?\d+', 'x': '[0-9a-f]+'}


def arguments(text, at):
    """The words between the parenthesis that opens before @at and its end."""
    depth, start = 1, at
    while depth:
        literal = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at)
        if literal:
            at = literal.end()
            continue
        depth += {'(': 1, ')': -1}.get(text[at], 0)
        at += 1
    return text[start:at - 1]


def pattern(literals):
    """A regular expression of what a format looks like when it is printed."""
    text = ''.join(
        '%' + kind if kind else '%s' if whole.startswith('TYPE_') else words
        for whole, words, kind in
        ((m.group(), m.group(1), m.group(2))
         for m in PIECE.finditer(literals)))
    # "0x%" PRIx64 is "0x%%x" by now; a hint ends its line itself
    text = text.replace('%%', '%').removesuffix('\\n')
    parts, end = [], 0
    for field in FIELD.finditer(text):
        parts += [re.escape(text[end:field.start()]),
                  PATTERN.get(field.group(1), '.*?')]
        end = field.end()
    return ''.join(parts) + re.escape(text[end:]), text


def formats(path):
    """Line, pattern and text of each message of a file."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    for call in CALL.finditer(text):
        words = arguments(text, call.end())
        found = TEXT.search(words)
        line = text.count('\n', 0, call.start()) + 1
        while found:
            yield line, *pattern(found.group())
            # both ways of a choice between two formats
            before = words[:found.start()].rstrip()
            behind = words[found.end():].lstrip()
            if not (before.endswith('?') and behind.startswith(':')):
                break
            found = TEXT.search(words, found.end())


def messages():
    for path in [*sorted(glob.glob(f'{tree}/hw/**/*.c', recursive=True)),
                 f'{tree}/scripts/base-corrections.toml']:
        for line, regex, text in formats(path):
            yield f'{os.path.relpath(path, tree)}:{line}', regex, text


# -- what is typed ----------------------------------------------------------

def start(says, line):
    with tempfile.TemporaryDirectory(prefix='cxl-errors-') as folder:
        path = os.path.join(folder, 'file')
        line, _, content = line.partition(' CDAT=')
        with open(path, 'wb') as file:
            file.write(bytes.fromhex(content))
            if not content:
                file.truncate(256 << 20)
        for name, words in TABLE['short'].items():
            line = re.sub(rf'\b{name}\b', words, line)
        line = shlex.split(TABLE['stock'] + line.replace('FILE', path))
        done = subprocess.run(
            [qemu, '-display', 'none', '-S', '-qmp', 'stdio', *line],
            input='{"execute": "qmp_capabilities"} {"execute": "quit"}',
            timeout=PATIENCE, capture_output=True, text=True, check=False)
        said = done.stderr.replace(path, 'FILE')
    if says not in said:
        raise AssertionError(f'status {done.returncode}: {said}')
    return said


STATIC = shlex.split('-object memory-backend-ram,id=ram1,size=256M '
                     '-device cxl-rp,id=rp1,bus=cxl.0,chassis=0,slot=1,port=1 '
                     '-device cxl-type3,id=mem1,bus=rp1,volatile-memdev=ram1')


def ask(says, props, *steps):
    with Machine(qemu, props, links=(), args=STATIC) as machine:
        monitor = Monitor(machine.path('qmp'))
        for words in steps[:-1]:
            step(machine, monitor, words)
        try:
            step(machine, monitor, steps[-1])
        except guest_qemu.AskError as error:
            if says not in str(error):
                raise AssertionError(f'{error}') from error
            return str(error)
        finally:
            monitor.close()
    raise AssertionError('there is no error')


# -- cases ------------------------------------------------------------------

class Coverage:
    def __init__(self):
        self.left = list(messages())
        # or the sources were not found
        assert len(self.left) > 100, len(self.left)
        self.all = [regex for _, regex, _ in self.left]

    def take(self, said):
        """A message that was seen is of ours, and needs no other row."""
        def seen(regex):
            return len(regex) > 8 and re.search(regex, said)
        if not any(map(seen, self.all)):
            raise AssertionError(f'not from our sources: {said}')
        self.left = [row for row in self.left if not seen(row[1])]

    def name(self, why, texts):
        """Texts of "elsewhere"."""
        for text in texts:
            if not any(text == row[2] for row in self.left):
                raise AssertionError(f'has a row, or is in no source: {text}')
        self.left = [row for row in self.left if row[2] not in texts]
        for path in re.findall(r'\btests/\S+', why):
            if not os.path.exists(os.path.join(tree, path)):
                raise AssertionError(f'there is no {path}')

    def complete(self):
        if self.left:
            raise AssertionError('\n'.join(f'{where}: {text}'
                                           for where, _, text in self.left))


def take(cover, function, says, *rest):
    cover.take(function(says, *rest))


def add_cases():
    cover = Coverage()
    for kind, function in (('start', start), ('monitor', ask)):
        for says, *rest in TABLE[kind]['rows']:
            named(says.replace('#', ''), take, cover, function, says, *rest)
    for why, *texts in TABLE['elsewhere']['rows']:
        named('elsewhere: ' + why, cover.name, why, texts)
    named('every error has a row', cover.complete)


add_cases()
main([name for name, _ in cases if only and only[0] in name])
