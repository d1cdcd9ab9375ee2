#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cxl-fm fault: faults armed through the monitor, and what is not a monitor.

usage: see fm_cases.py
"""

import json
import socket
import threading

from fm_cases import (BAD_ANSWER, DONE, Fm, REFUSED, UNREACHABLE, USAGE, case,
                      equal, has, machine, run)
from fm_machine import PATIENCE

IDENTIFY = 0x4000
INTERNAL_ERROR = 4
PIECE = 4096


class Monitor:
    """The verb with a machine's monitor."""

    def __init__(self, m):
        self.url = 'unix:' + m.path('qmp')

    def call(self, *words, status=DONE, json_too=()):
        return Fm('').call(*json_too, 'fault', *words, '--qmp', self.url,
                           status=status, url=False)[status != DONE]

    def json(self, *words):
        return json.loads(self.call(*words, json_too=['--json']))


@case
def kinds_are_listed_and_explained():
    with machine() as m:
        monitor = Monitor(m)
        has(monitor.call('kinds'), r'^KIND +FAMILY +TAKES +DOES$',
            r'^answer-code +answers +opcode, value +\w',
            r'^packet-drop +mctp +\w')
        assert len(monitor.json('kinds')) > 100
        has(monitor.call('kinds', 'answer-code'), r'^place +answers of',
            r'^takes +opcode, value$', r'^specification +\w')
        equal(monitor.json('kinds', 'answer-code')['kind'], 'answer-code')
        monitor.call('kinds', 'answer-wrong', status=USAGE)


@case
def an_armed_fault_acts_and_is_counted():
    with machine() as m:
        monitor = Monitor(m)
        has(monitor.call('arm', 'mem0', 'answer-code', 'opcode=0x4000',
                         'value=4', 'when=nth', 'n=2'),
            r'^fault 1 of mem0 is armed: answer-code$')
        equal([m.mailbox(IDENTIFY)[0] for _ in range(3)],
              [0, INTERNAL_ERROR, 0])
        has(monitor.call('list'),
            r'^/machine/peripheral/mem0 +1 +answer-code +nth +1 +\d+ +1$')
        equal(monitor.json('list', 'mem0')[0]['hits'], 1)
        equal(monitor.json('arm', 'mem0', 'answer-code', 'value=1'), {'id': 2})


@case
def cleared_faults_are_gone():
    with machine() as m:
        monitor = Monitor(m)
        for _ in range(3):
            monitor.call('arm', 'mem0', 'answer-code', 'value=4', 'count=0')
        equal(monitor.call('clear', 'mem0', '2'), '')
        equal([f['id'] for f in monitor.json('list')], [1, 3])
        monitor.call('clear', 'mem0', '2', status=REFUSED)
        equal(monitor.json('clear'), {})
        equal(monitor.json('list'), [])
        equal(m.mailbox(IDENTIFY)[0], 0)


@case
def what_the_monitor_refuses_is_told():
    with machine() as m:
        monitor = Monitor(m)
        for pattern, words in [
                ("'kind' is 'nothing'", 'mem0 nothing'),
                ("'path' is 'mem9'", 'mem9 answer-code'),
                ("'offset' is given", 'mem0 answer-code offset=1'),
                ('sometimes', 'mem0 answer-code when=sometimes'),
                ('colour', 'mem0 answer-code colour=1')]:
            has(monitor.call('arm', words, status=REFUSED), pattern)
        equal(monitor.json('list'), [])


@case
def wrong_words_are_explained():
    for pattern, words in [
            ('which monitor', 'list'),
            ('expected kinds, list', 'grow'),
            ('which TARGET', 'arm mem0'),
            ('NAME=VALUE', 'arm mem0 x value'),
            ('expected a number', 'arm mem0 x value=high'),
            ('ID of a fault', 'clear mem0 all'),
            ('too many', 'clear mem0 1 2')]:
        has(Fm('').call('fault', words, url=False, status=USAGE)[1], pattern)


@case
def what_is_no_monitor_is_told():
    def call(url, pattern, status=UNREACHABLE):
        has(Fm('').call('fault', 'list', '--timeout', '1', url=False,
                        status=status, CXL_FM_QMP=url)[1], pattern)

    call('unix:/nonexistent', 'unix:/nonexistent: ')
    for url in ('unix:', 'tcp:', 'tcp:host', '/path'):
        call(url, 'expected unix:PATH or tcp:HOST:PORT')
    hello = b'{"QMP": {}}\n{"return": {}}\n'
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(PATIENCE)
        url = f'tcp:127.0.0.1:{server.getsockname()[1]}'
        for says, *expected in [
                (b'hello\n', 'no monitor'), (b'[]\n', 'no monitor'),
                (b'', 'closed'), (hello, 'closed'), (None, 'timed out'),
                (hello + b'{"return": 5}\n', "none of QEMU's", BAD_ANSWER),
                (hello + b'{"return": [5]}\n', "none of QEMU's", BAD_ANSWER),
                (hello + b'{"error": 5}\n', ': error', REFUSED)]:
            def serve():
                link, _ = server.accept()
                with link:
                    if says is not None:
                        link.sendall(says)
                        link.shutdown(socket.SHUT_WR)
                    while link.recv(PIECE):
                        pass
            peer = threading.Thread(target=serve)
            peer.start()
            call(url, *expected)
            peer.join()


run()
