#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/run-guest.py leaves nothing behind, however it ends, and tells of a
QEMU that hangs.

usage: test-run-guest.py RUN-GUEST
"""

import importlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from cases import main, named

# Seconds for a process to come or go on a busy machine
PATIENCE = 60
# Exit status that says that it hung
HUNG = 3
# ... and that something is missing
MISSING = 2
# What stands in for QEMU: it runs until it is killed, or told to end if it
# listens to that
FAKE = """#!/bin/sh
trap {trap} TERM
>{pids}/$$
while :; do sleep 0.1; done
"""


def until(what, true):
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.02)


def runs(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as f:
            return f.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


class Runner:
    """run-guest.py with that in a folder of its own."""

    def __init__(self, folder, scenario, trap):
        self.fake, self.pids, self.temp = (
            os.path.join(folder, name) for name in ('qemu', 'pids', 'temp'))
        self.scenario = scenario
        os.mkdir(self.pids)
        os.mkdir(self.temp)
        with open(self.fake, 'w', encoding='ascii') as f:
            f.write(FAKE.format(pids=self.pids, trap=trap))
        os.chmod(self.fake, 0o755)

    def start(self, *more, stdout=subprocess.DEVNULL):
        return subprocess.Popen(
            [sys.executable, sys.argv[1], '--qemu', self.fake,
             '--kernel', self.fake, '--init', self.fake, '--accel', 'tcg',
             '--scenario', self.scenario, *more],
            stdin=subprocess.DEVNULL, stdout=stdout, text=True,
            env={**os.environ, 'TMPDIR': self.temp})


def ends_with_it(number, scenario, trap):
    many = 2 if scenario == 'manager' else 1
    with tempfile.TemporaryDirectory(prefix='run-guest-test-') as folder:
        what = Runner(folder, scenario, trap)
        pids, temp = what.pids, what.temp
        with what.start() as runner:
            until('it does not start', lambda: len(os.listdir(pids)) == many)
            runner.send_signal(number)
            runner.wait(PATIENCE)
        for qemu in map(int, os.listdir(pids)):
            try:
                until('QEMU is left behind', lambda pid=qemu: not runs(pid))
            except AssertionError:
                os.kill(qemu, signal.SIGKILL)
                raise
        if number != signal.SIGKILL:
            until('files are left behind', lambda: not os.listdir(temp))


def tells_of_a_hang(scenario):
    with tempfile.TemporaryDirectory(prefix='run-guest-test-') as folder:
        with Runner(folder, scenario, '-').start(
                '--idle-limit', '1', stdout=subprocess.PIPE) as runner:
            lines = runner.communicate()[0].splitlines()
    status = runner.returncode
    whose = ['# qemu: '] + ['# the other qemu: '] * (scenario == 'manager')
    wanted = [start + what for start in whose
              for what in ('the monitor does not answer', 'thread ')]
    missing = [text for text in wanted
               if not any(line.startswith(text) for line in lines)]
    if missing or status != HUNG or \
       not lines[-1].startswith('Bail out! the guest hangs'):
        raise AssertionError(f'status {status}, lacks {missing}: {lines}')


def waits_for_a_monitor():
    sys.path.insert(0, os.path.dirname(sys.argv[1]))
    guest_qemu = importlib.import_module('guest_qemu')
    with tempfile.TemporaryDirectory(prefix='run-guest-test-') as folder:
        machine = guest_qemu.Machine([], folder)
        if machine.runs():
            raise AssertionError('runs without a socket')
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(machine.socket)
            if machine.runs():
                raise AssertionError('runs before it listens')


def skips_without_a_kernel():
    with tempfile.TemporaryDirectory(prefix='run-guest-test-') as folder:
        what = Runner(folder, 'boot', '-')
        missing = ['--kernel', os.path.join(folder, 'none')]
        with what.start(*missing) as runner:
            if runner.wait(PATIENCE) != MISSING:
                raise AssertionError('goes on without a kernel')
        with what.start(*missing, '--optional', 'this.sh',
                        stdout=subprocess.PIPE) as runner:
            text = runner.communicate()[0]
        if runner.returncode or not text.startswith('1..0 # SKIP') or \
           'this.sh' not in text:
            raise AssertionError(f'status {runner.returncode}: {text}')


for signal_, scenario_, trap_ in (
        (signal.SIGTERM, 'boot', '-'), (signal.SIGTERM, 'manager', '-'),
        (signal.SIGTERM, 'boot', "''"), (signal.SIGTERM, 'shell', '-'),
        (signal.SIGKILL, 'boot', "''"), (signal.SIGKILL, 'shell', "''")):
    named(f'nothing is left of {scenario_} after {signal_.name}' +
          (', QEMU is deaf' if trap_ == "''" else ''),
          ends_with_it, signal_, scenario_, trap_)
for scenario_ in 'boot', 'manager':
    named(f'a hang of {scenario_} tells where', tells_of_a_hang, scenario_)
named('a QEMU that moved in may come to listen later', waits_for_a_monitor)
named('only a kernel that is optional may be missing', skips_without_a_kernel)
main()
