# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection to the monitor of a QEMU that runs already.

scripts/ must be on Python's path.
"""

import json
import re
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


def size(text):
    match = re.fullmatch(r'(\d+)([KMG]?)', text)
    return int(match[1]) << {'': 0, 'K': 10, 'M': 20, 'G': 30}[match[2]]


def value(name, text):
    if name == 'extents':
        return [dict(zip(('offset', 'len'), map(size, part.split('+'))))
                for part in text.split(',')]
    if re.fullmatch(r'\d+[KMG]?', text):
        return size(text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def step(machine, monitor, words):
    """A step of errors.toml or pages.toml: a command of QMP with its arguments,
    `add` or `release` of dynamic capacity, something that the host does, or a
    command for the mailbox."""
    command, *rest = words.split(' ')
    if command == 'host':
        machine.host(*rest)
        return
    if command == 'mailbox':
        code, _ = machine.mailbox(int(rest[0], 16), bytes.fromhex(rest[1]))
        assert code == 0, hex(code)
        return
    arguments_ = {name: value(name, text) for name, text in
                  (part.split('=', 1) for part in rest)}
    if command in ('add', 'release'):
        command = f'cxl-{command}-dynamic-capacity'
        arguments_ = {'path': 'mem0', 'host-id': 0, **arguments_}
    monitor.command(command, **arguments_)
