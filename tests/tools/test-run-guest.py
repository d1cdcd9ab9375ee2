#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/run-guest.py leaves nothing behind, however it ends.

usage: test-run-guest.py RUN-GUEST
"""

import os
import signal
import subprocess
import sys
import tempfile
import time

# Seconds for a process to come or go on a busy machine
PATIENCE = 60
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


def ends_with_it(number, scenario, trap):
    many = 2 if scenario == 'manager' else 1
    with tempfile.TemporaryDirectory(prefix='run-guest-test-') as folder:
        fake, pids, temp = (os.path.join(folder, name)
                            for name in ('qemu', 'pids', 'temp'))
        os.mkdir(pids)
        os.mkdir(temp)
        with open(fake, 'w', encoding='ascii') as f:
            f.write(FAKE.format(pids=pids, trap=trap))
        os.chmod(fake, 0o755)
        with subprocess.Popen(
                [sys.executable, sys.argv[1], '--qemu', fake, '--kernel', fake,
                 '--init', fake, '--accel', 'tcg', '--scenario', scenario],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env={**os.environ, 'TMPDIR': temp}) as runner:
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


CASES = [(signal.SIGTERM, 'boot', '-'), (signal.SIGTERM, 'manager', '-'),
         (signal.SIGTERM, 'boot', "''"), (signal.SIGTERM, 'shell', '-'),
         (signal.SIGKILL, 'boot', "''"), (signal.SIGKILL, 'shell', "''")]


def main():
    bad = 0
    print(f'TAP version 13\n1..{len(CASES)}')
    for at, (number, scenario, trap) in enumerate(CASES, 1):
        words = ''
        try:
            ends_with_it(number, scenario, trap)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            words, bad = 'not ', bad + 1
            print(f'# {error}')
        deaf = ', QEMU is deaf' if trap == "''" else ''
        print(f'{words}ok {at} - nothing is left of {scenario} after '
              f'{signal.Signals(number).name}{deaf}', flush=True)
    return bad != 0


if __name__ == '__main__':
    sys.exit(main())
