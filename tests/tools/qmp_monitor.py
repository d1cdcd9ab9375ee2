# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection to the monitor of a QEMU that runs already.

scripts/ must be on Python's path.
"""

import json
import socket

import guest_qemu

from fm_machine import PATIENCE


class Monitor(guest_qemu.Machine):
    """What a guest may ask of its runner, and events."""

    def __init__(self, path):
        self.resets = 0
        self.events = []
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(PATIENCE)
        self.link.connect(path)
        self.stream = self.link.makefile('rw')
        self.stream.readline()
        self.command('qmp_capabilities')

    def reset(self):
        self.resets = 0
        self.command('system_reset')
        while not self.resets:
            self.receive()

    def receive(self):
        text = self.stream.readline()
        if not text:
            raise guest_qemu.AskError('QEMU is gone')
        message = json.loads(text)
        if 'event' in message:
            self.events.append(message)
            self.resets += message['event'] == 'RESET'
        return message

    def command(self, name, **arguments):
        json.dump({'execute': name, 'arguments': arguments}, self.stream)
        self.stream.write('\n')
        self.stream.flush()
        while True:
            answer = self.receive()
            if 'error' in answer:
                raise guest_qemu.AskError(answer['error']['desc'])
            if 'return' in answer:
                return answer['return']

    def close(self):
        self.stream.close()
        self.link.close()
