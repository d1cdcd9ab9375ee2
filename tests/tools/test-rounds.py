#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario "rounds" of the guest tests, against a machine without a guest.

usage: test-rounds.py QEMU ROUNDS-DOUBLE SCRIPTS

cxlseed=N in the environment repeats a run, cxlrounds=N makes it longer.
"""

import socket
import subprocess
import sys

from fm_machine import Machine

qemu, program, scripts = sys.argv[1:]
sys.path.insert(0, scripts)

# pylint: disable=wrong-import-position
import guest_qemu
from qmp_monitor import Monitor


def reply(machine, monitor, words):
    """The line that answers a request of the program."""
    if words[0] == 'mailbox':
        code, data = machine.mailbox(int(words[1], 16),
                                     bytes.fromhex(''.join(words[2:])))
        return f'{code:04x} {data.hex()}'
    try:
        if words[1] == 'reset':
            monitor.reset()
            machine.enumerate_pci()
        else:
            monitor.extents(*words[2:])
    except guest_qemu.AskError as error:
        print(f'# {error}')
        return 'error'
    return 'ok'


def main():
    ours, its = socket.socketpair()
    with Machine(qemu, links=()) as machine:
        monitor = Monitor(machine.path('qmp'))
        with subprocess.Popen([program], stdin=its, stdout=its) as child:
            its.close()
            stream = ours.makefile('rw')
            for line in stream:
                words = line.split()
                if words[0] == '#' and words[1] in ('mailbox', 'runner:'):
                    stream.write(reply(machine, monitor, words[1:]) + '\n')
                    stream.flush()
                else:
                    print(line, end='', flush=True)
        return child.returncode


if __name__ == '__main__':
    sys.exit(main())
