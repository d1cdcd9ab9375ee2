# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of cxl-fm share: the program as a user calls it, cases, TAP.

A test's arguments: QEMU CXL-FM MANUAL [NAME...]. With names, only those run.
"""

import functools
import json
import os
import re
import subprocess
import sys

from cases import Skip, case, equal, has, main  # noqa: F401
from fm_machine import PATIENCE, Machine

TAG = '5be13bce-ae34-4a77-b6c3-16df975fcf1a'
OTHER = '00000000-0000-4000-8000-000000000001'

# Exit status of the program
DONE, REFUSED, USAGE, UNREACHABLE, BAD_ANSWER, NOT_DONE = range(6)

qemu, program, manual = sys.argv[1:4]


def environment(**more):
    env = {k: v for k, v in os.environ.items()
           if k not in ('CXL_FM', 'CXL_FM_QMP', 'NO_COLOR')}
    env.update(LC_ALL='C.UTF-8', TERM='xterm', **more)
    return env


class Fm:
    """The program with a connection."""

    def __init__(self, url):
        self.url = url

    def at(self, url):
        return Fm(url)

    def call(self, *words, status=DONE, url=True, **env):
        """Run it. Return what it wrote to its two streams."""
        line = [program] + (['--connect', self.url] if url else [])
        line += ' '.join(map(str, words)).split()
        done = subprocess.run(line, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              env=environment(**env), check=False)
        out, err = done.stdout.decode(), done.stderr.decode()
        if done.returncode != status:
            raise AssertionError(f'{words}: status {done.returncode}, want '
                                 f'{status}\n{out}{err}')
        return out, err

    def text(self, *words):
        out, err = self.call(*words)
        equal(err, '')
        return out

    def json(self, *words):
        """One object on one line, and nothing else."""
        out, err = self.call('--json', *words)
        equal(err, '')
        equal(out.count('\n'), 1)
        return json.loads(out)

    def refused(self, code, *words, status=REFUSED):
        """Both forms of an error. Return the message."""
        out, err = self.call(*words, status=status)
        equal(out, '')
        has(err, r'^cxl-fm ' + words[0].split()[0] + ': ',
            f'answers {code:02X}h, ')
        # again: what was refused has changed nothing
        out, err = self.call('--json', *words, status=status)
        error = json.loads(out)['error']
        equal(error['code'], code)
        equal(error['kind'], 'component')
        has(error['message'], re.escape(error['name']))
        return err

    def wrong(self, pattern, *words):
        out, err = self.call(*words, status=USAGE)
        equal(out, '')
        has(err, pattern, '--help')


def machine(props='', **more):
    return Machine(qemu, props, **more)


def on(props='', **more):
    """A case, given such a machine and the program at its first link."""
    def decorate(function):
        @case
        @functools.wraps(function)
        def wrapped():
            with machine(props, **more) as m:
                function(m, Fm(m.urls[0]))
        return wrapped
    return decorate


def held(m, fm, words):
    """What is added, the host has accepted."""
    fm.text('add', words)
    m.host()


def run():
    main(sys.argv[4:])
