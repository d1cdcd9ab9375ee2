# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of cxl-poold without machines share.

A test's arguments: CXL-POOLD CXL-FM [NAME...]. With names, only those run.
"""

import functools
import multiprocessing
import os
import subprocess
import sys

sys.argv.insert(1, '')      # fm_cases: there is no QEMU here
sys.argv[2:4] = [sys.argv[3], sys.argv[2]]

from fm_cases import Fm, case, equal, has, program  # noqa: E402
from poold import Closed, Daemon, Host, Line  # noqa: E402

POOLD = sys.argv[3]
MIB = 1 << 20
BLOCK = 2 * MIB
RETRY = 0x05
IN_USE = 0x1e
POOL = ('--size=1G', '--regions=4', '--set=dc1-sharable=on',
        '--set=dc2-sharable=on', '--set=dc2-read-only=on',
        '--set=dc3-sanitize=off')
REGION = 256 * MIB


def pool(*options):
    d = Daemon(POOLD, *POOL, *options)
    return d, Fm(d.fm)


def on_pool(*options):
    """A case, given a daemon with such a pool and the program at it."""
    def decorate(function):
        @case
        @functools.wraps(function)
        def wrapped():
            d, fm = pool(*options)
            with d:
                function(d, fm)
        return wrapped
    return decorate


def wrong(pattern, *words, line=(POOLD,), **more):
    """The program refuses to run with these."""
    done = subprocess.run([*line, *words], capture_output=True, timeout=60,
                          check=False, **more)
    equal((done.returncode, done.stdout), (1, b''))
    has(done.stderr.decode(), pattern)


def attached(d, *arguments, meanwhile='already', **more):
    """A host, once the daemon has heard of the end of who was that before."""
    while True:
        try:
            return Host(Line(d), *arguments, **more)
        except Closed as closed:
            has(str(closed), meanwhile)


def ended(read):
    """The daemon ends a connection; its words."""
    try:
        while True:
            read()
    except Closed as closed:
        return str(closed)


def give(fm, host, number, size='2M', *words):
    fm.text('add', '--host', number, '--size', size, *words)
    return host.accept()


def in_another_process(d):
    """Runs a host elsewhere; returns the process and a pipe to it."""
    here, there = multiprocessing.Pipe()

    def serve():
        host = Host(Line(d), 0)
        there.send('ready')
        while True:
            what, *arguments = there.recv()
            if what == 'silent':
                host.acks = False
                there.send(None)
            else:
                there.send(getattr(host, what)(*arguments))

    process = multiprocessing.get_context('fork').Process(target=serve,
                                                          daemon=True)
    process.start()
    equal(here.recv(), 'ready')

    def tell(*what):
        here.send(what)
        return here.recv()
    return process, tell


def when_possible(fm, *words):
    """The daemon hears of a process's end when it hears of it."""
    for _ in range(600):
        done = subprocess.run(
            [program, '-c', fm.url, *' '.join(words).split()],
            capture_output=True, check=False)
        if not done.returncode:
            return done.stdout.decode()
        os.sched_yield()
    raise AssertionError(done.stderr.decode())
