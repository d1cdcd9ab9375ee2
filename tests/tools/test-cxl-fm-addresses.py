#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments and addresses of cxl-fm: help, usage errors, streams, bad peers.

usage: see fm_cases.py
"""

import json
import re
import socket
import struct
import subprocess
import threading
import time
import types

from cases import named
from fm_cases import (BAD_ANSWER, DONE, Fm, NOT_DONE, REFUSED, TAG,
                      UNREACHABLE, USAGE, case, environment, equal, has,
                      machine, manual, program, run)
from fm_machine import BLOCK, DC_BASE, PATIENCE
from wire_peer import WirePeer, frame

VERBS = ['identify', 'info', 'regions', 'extents', 'tags', 'hosts', 'map',
         'add', 'release', 'set-region', 'reference', 'log', 'commands',
         'events', 'watch', 'raw', 'fault']


# -- words --------------------------------------------------------------------

@case
def help_names_every_verb():
    out, _ = Fm('').call('--help', url=False)
    for verb in VERBS:
        has(out, rf'^  {verb} +\w')
        text, _ = Fm('').call(f'{verb} --help', url=False)
        has(text, rf'^  cxl-fm {verb} ', '--connect=URL', '--json')
    listed = re.findall(r'^  ([a-z-]+) +[A-Z]', out.split('Verbs:')[1],
                        re.MULTILINE)
    equal(sorted(listed), sorted(VERBS))


@case
def manual_names_every_verb_and_option():
    with open(manual, encoding='utf-8') as file:
        page = file.read().replace('\\-', '-')
    for verb in VERBS:
        has(page, rf'^\.SS .*\b{verb}\b')
        text, _ = Fm('').call(f'{verb} --help', url=False)
        for option in re.findall(r'--[a-z-]+', text):
            has(page, re.escape(option) + r'\b')
    for scheme in ('unix', 'tcp', 'pty', 'mctp', 'ioctl'):
        has(page, scheme + ':')
    for status in range(NOT_DONE + 1):
        has(page, rf'^\.B {status}$')


@case
def wrong_words_are_explained():
    fm = Fm('unix:/nonexistent')
    for pattern, words in [
            ("no verb 'frobnicate'", 'frobnicate'),
            ('Unknown option', '--frobnicate info'),
            ('Unknown option', 'info --frobnicate'),
            ('too many arguments', 'info more'),
            ('argument is missing', 'reference add'),
            ('argument is missing', 'raw'),
            ('expected add or remove', f'reference take {TAG}'),
            ('expected a UUID', 'reference add xyz'),
            ('--size', 'add'),
            ('--size 1Q: expected', 'add --size 1Q'),
            ('--policy x: expected', 'add --policy x --size 2M'),
            ('belong together', 'add --policy prescriptive'),
            ('belong together', 'add --policy free --extent 0+2M'),
            ('--extent 5: expected', 'add --extent 5'),
            ('no meaning', 'add --extent 0+2M --size 2M'),
            ('--tag to share', 'add --policy shared'),
            ('--region 256', 'add --size 2M --region 256'),
            ('host -1: expected', 'add --size 2M --host -1'),
            ('host 65536', 'extents --host 65536'),
            ('either --tag or --extent', 'release'),
            ('either --tag or --extent', f'release --tag {TAG} --extent 0+2M'),
            ('--size belongs to --tag', 'release --extent 0+2M --size 2M'),
            ('give --region', 'set-region --block-size 2M'),
            ('give --region', 'set-region --region 0'),
            ('expected on or off', 'set-region --region 0 --sanitize maybe'),
            ('expected cel', 'log xyz'),
            ('a log is missing', 'log --output /tmp/x'),
            ('four hexadecimal', 'raw 10000'),
            ('pairs of hexadecimal', 'raw 0001 123'),
            ('pairs of hexadecimal', 'raw 0001 xy'),
            ('No such file', 'raw 0001 --input /nonexistent'),
            ('positive', 'watch --interval 0'),
            ('take one', '--json watch --map'),
            ('--color x', '--color x info'),
            ('--timeout', '--timeout 0 info')]:
        if '--json' in words:
            has(fm.call(words, status=USAGE)[1], pattern)
        else:
            fm.wrong(pattern, words)
    _, err = fm.call('info', status=USAGE, url=False)
    has(err, 'which component.*CXL_FM')
    has(Fm('http://x').call('info', status=USAGE)[1], 'expected unix:PATH')
    _, err = fm.call(status=USAGE, url=False)
    has(err, 'Verbs:')


@case
def version_is_told():
    has(Fm('').call('--version', url=False)[0], r'^cxl-fm \d')


# -- addresses ----------------------------------------------------------------

@case
def every_kind_of_stream_works():
    with machine(links=['unix', 'tcp', 'pty']) as m:
        for url in m.urls:
            equal(Fm(url).json('info')['hosts'], 1)
        # a path alone says by itself what it is, the environment is a default
        for url in (m.urls[0], m.urls[2]):
            path = url.split(':', 1)[1]
            equal(Fm(path).json('info')['hosts'], 1)
            out, _ = Fm('').call('--json info', url=False, CXL_FM=path)
            equal(json.loads(out)['hosts'], 1)


@case
def links_work_side_by_side():
    with machine(links=['unix', 'unix']) as m:
        # one is open and waits while the other is used
        watch = subprocess.Popen(
            [program, '-c', m.urls[0], '--json', 'watch', '--count', '1'],
            stdout=subprocess.PIPE, env=environment())
        fm = Fm(m.urls[1])
        fm.text(f'add --size 2M --tag {TAG}')
        m.host()
        out, _ = watch.communicate(timeout=PATIENCE)
        equal(watch.returncode, DONE)
        equal(json.loads(out)['extent']['tag'], TAG)
        equal(len(fm.json('extents')['extents']), 1)


@case
def a_program_that_has_to_wait_says_so():
    with machine() as m:
        first = socket.socket(socket.AF_UNIX)
        first.connect(m.urls[0].split(':', 1)[1])
        second = subprocess.Popen(
            [program, '-c', m.urls[0], '--timeout', str(PATIENCE), 'info'],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment())
        has(second.stderr.readline(),
            '^cxl-fm: ' + re.escape(m.urls[0]) + ': nobody takes the request; '
            'QEMU serves one program at a time')
        first.close()
        out, err = second.communicate(timeout=PATIENCE)
        equal((second.returncode, err), (DONE, ''))
        has(out, '1 host')


@case
def nobody_there_is_told():
    for url in ('unix:/nonexistent/socket', 'pty:/nonexistent/pty',
                'ioctl:/dev/null/x', 'tcp:127.0.0.1:1'):
        out, err = Fm(url).call('info', status=UNREACHABLE)
        equal(out, '')
        has(err, '^cxl-fm info: ' + re.escape(url) + ': ')
        out, _ = Fm(url).call('--json info', status=UNREACHABLE)
        equal(json.loads(out)['error']['kind'], 'connection')


def peer(behaviour):
    """A listener that treats its one client so. Return its URL."""
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(1)

    def serve():
        link, _ = listener.accept()
        with link, listener:
            behaviour(link)
    threading.Thread(target=serve, daemon=True).start()
    return f'tcp:127.0.0.1:{listener.getsockname()[1]}'


@case
def a_peer_that_is_no_component_is_told():
    def silent(link):
        while link.recv(4096):
            pass

    def closes(link):
        link.recv(1)

    def chatters(link):
        link.recv(1)
        link.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n' * 100)

    for behaviour, pattern in ((silent, 'no answer .* within 0.3 s; does '
                                'another program'),
                               (closes, 'closed|reset'),
                               (chatters, 'closed|reset')):
        url = peer(behaviour)
        seconds = '0.3' if behaviour is silent else PATIENCE
        _, err = Fm(url).call(f'--timeout {seconds} info', status=UNREACHABLE)
        has(err, '0001h Identify: .*(' + pattern + ')')


def identity(log2):
    """The answer of 0001h by a component with messages of 2^@log2 bytes."""
    return struct.pack('<HHHHQBB', 1, 2, 3, 4, 5, log2, 3)


def component(answers, log2=9):
    """A peer that answers by opcode, and 03h to what is not in the list."""
    def answer(opcode, payload):
        if opcode == 0x0001:
            return 0, identity(log2)
        found = answers.get(opcode, (3, b''))
        return found(payload) if callable(found) else found
    return WirePeer(answer)


@case
def the_bytes_on_the_wire_are_those_of_the_bindings():
    seen = []

    def heard(payload, answer=b''):
        seen.append(payload)
        return 0, answer

    def regions(payload):
        host, count, start = struct.unpack('<HBB', payload)
        record = struct.pack('<QQQQQ', 0, 1, 1 << 28, 0x100, 1 << 5)
        return heard(payload, struct.pack('<HBB', host, 4, 4) + 4 * record +
                     struct.pack('<IIII', 9, 9, 9, 9))
    peer_ = component({
        0x5600: lambda p: heard(p, struct.pack('<BBHH', 255, 4, 0, 7) +
                                bytes(78)),
        0x5601: regions, 0x5604: heard})
    fm = Fm(peer_.url)
    equal(fm.json('info')['hosts'], 255)
    fm.text('add --policy contiguous --region 3 --host 254 --size 0x7e7d00 '
            f'--tag {TAG}')
    equal(peer_.trouble, None)
    equal(peer_.asked, [0x0001, 0x5600, 0x0001, 0x5600, 0x5601, 0x5604])
    equal(seen, [b'', b'', struct.pack('<HBB', 254, 8, 0),
                 struct.pack('<HBBQ', 254, 1, 3, 0x7e7d00) +
                 bytes.fromhex(TAG.replace('-', '')) + bytes(4)])


class Odd(WirePeer):
    """An echo, but for @messages, which makes of an answer what is sent in
    its place, and @frames, which does so with the bytes of its frames."""

    def __init__(self, messages, frames):
        self.messages, self.frames = messages, frames
        super().__init__(lambda opcode, payload: (
            0, identity(20) if opcode == 0x0001 else payload))

    def send(self, link, source, tag, body):
        data = bytearray()
        for message in self.messages(bytearray(body)):
            super().send(types.SimpleNamespace(sendall=data.extend), source,
                         tag, message)
        for part in self.frames(bytes(data)):
            link.sendall(part)


def as_it_is(data):
    return [data]


def changed(at, bits):
    """A byte of the message's header is another; or of the first frame."""
    def change(data):
        return [data[:at] + bytes([data[at] ^ bits]) + data[at + 1:]]
    return change


def half_and_no_more(data):
    yield data[:len(data) // 2]
    raise EOFError


NOISE = bytes.fromhex('7e010955 7e00ff7d 7e7e0103')
NOTICE = frame(bytes([1, 8, 0, 0xcd]) + struct.pack(
    '<BBBBHBHHHH', 8, 0, 0x77, 0, 0x0106, 2, 0, 0, 0, 0x10))
ECHOED = bytes(0x7d + i % 3 if i % 3 else i * 7 & 0xff for i in range(4096))


def echo(fm, size):
    """Flags and escapes of frames are among it."""
    data = ECHOED[:size].hex()
    answer = fm.json('raw c000', data)
    equal((answer['length'], answer['payload']), (size, data))


def an_odd_answer(messages, frames, status):
    peer_ = Odd(messages, frames)
    fm = Fm(peer_.url)
    if status == DONE:
        echo(fm, 20)
        echo(fm, 1000)
        equal(peer_.trouble, None)
    else:
        seconds = 0.3 if frames is damaged else PATIENCE
        _, err = fm.call(f'--timeout {seconds} identify', status=status)
        has(err, '0001h Identify: .*' + (
            'no answer' if frames is damaged else 'closed|reset'
            if status == UNREACHABLE else 'contradicts the specification'))


damaged = changed(8, 1)
for name_, *row in (
        ('that comes in single bytes', as_it_is,
         lambda data: (data[i:i + 1] for i in range(len(data))), DONE),
        ('behind noise', as_it_is, lambda data: [NOISE + data], DONE),
        ('behind a notice', as_it_is, lambda data: [NOTICE + data], DONE),
        ('behind one to another request', lambda data:
         changed(2, 0x40)(data) + [data], as_it_is, DONE),
        ('of half a frame', as_it_is, half_and_no_more, UNREACHABLE),
        ('that is damaged', as_it_is, damaged, UNREACHABLE),
        ('that is a request', changed(1, 1), as_it_is, BAD_ANSWER),
        ('to another command', changed(4, 1), as_it_is, BAD_ANSWER),
        ('that says it is longer', changed(6, 1), as_it_is, BAD_ANSWER),
        ('that says it is shorter', changed(6, 2), as_it_is, BAD_ANSWER),
        ('without all of its header', lambda data: [data[:12]], as_it_is,
         BAD_ANSWER)):
    named('an answer ' + name_, an_odd_answer, *row)


@case
def messages_of_every_size_come_back():
    peer_ = Odd(as_it_is, as_it_is)
    for size in 0, 1, 50, 51, 52, 115, 512, 1024, 4095, 4096:
        echo(Fm(peer_.url), size)
    equal(peer_.trouble, None)


@case
def many_requests_have_tags_of_their_own():
    """All tags of MCTP and of the CCI, several times around."""
    total = 600

    def extents(payload):
        start = struct.unpack('<I', payload[8:12])[0]
        return 0, struct.pack('<HHIIIIIQQ24x', 0, 0, start, 1, total, 1, 0,
                              start * BLOCK, BLOCK)
    peer_ = component({0x5603: extents})
    equal([e['dpa'] for e in Fm(peer_.url).json('extents')['extents']],
          [n * BLOCK for n in range(total)])
    equal(peer_.trouble, None)
    tags = [number for _, number in peer_.tags]
    equal(len(set(tags[:256])), 256)
    assert all(a != b for a, b in zip(tags, tags[1:]))


@case
def answers_against_the_specification_are_told():
    def one_byte_less(opcode, payload):
        return 0, identity(9)[:-1]

    def no_such_size(opcode, payload):
        return 0, identity(7)

    for answer in (one_byte_less, no_such_size):
        _, err = Fm(WirePeer(answer).url).call('identify', status=BAD_ANSWER)
        has(err, '0001h Identify: the answer contradicts the specification')
    # more extents than asked for, fewer than there are, and none of them
    for head in ((9, 9), (0, 5)):
        peer_ = component({0x5603: (0, struct.pack('<HHIIIII', 0, 0, 0, *head,
                                                   1, 0))})
        out, _ = Fm(peer_.url).call('--json extents', status=BAD_ANSWER)
        equal(json.loads(out)['error']['kind'], 'answer')
    # a code that no specification names
    peer_ = component({0x5600: (0x7fff, b'')})
    _, err = Fm(peer_.url).call('info', status=REFUSED)
    has(err, 'answers 7FFFh, other error$')


@case
def a_list_that_changes_is_read_again():
    """Five extents, two in an answer; after the first answer there are four."""
    calls = []

    def extents(payload):
        count, start = struct.unpack('<II', payload[4:12])
        calls.append(start)
        total, generation = (5, 1) if len(calls) == 1 else (4, 2)
        listed = range(start, min(total, start + count, start + 2))
        data = struct.pack('<HHIIIII', 0, 0, start, len(listed), total,
                           generation, 0)
        for number in listed:
            data += struct.pack('<QQ', (generation << 32) + number * BLOCK,
                                BLOCK) + bytes(24)
        return 0, data
    peer_ = component({0x5603: extents})
    listed = Fm(peer_.url).json('extents')
    equal(listed['generation'], 2)
    equal([e['dpa'] for e in listed['extents']],
          [(2 << 32) + n * BLOCK for n in range(4)])
    equal(calls, [0, 2, 0, 2])


@case
def a_list_that_empties_has_the_last_generation():
    def extents(payload):
        start = struct.unpack('<I', payload[8:12])[0]
        if start:
            return 0, struct.pack('<HHIIIII', 0, 0, start, 0, 0, 2, 0)
        return 0, (struct.pack('<HHIIIII', 0, 0, 0, 1, 2, 1, 0) +
                   struct.pack('<QQ', 0, BLOCK) + bytes(24))
    listed = Fm(component({0x5603: extents}).url).json('extents')
    equal(listed['extents'], [])
    equal(listed['generation'], 2)


class EventLog:
    """0100h and 0101h of a component with an FM's log, 0104h and 0105h too."""

    def __init__(self, *commands):
        self.records = b''
        self.policy = [0x8000]
        self.answers = {
            opcode: answer for opcode, answer in
            ((0x0100, self.read), (0x0101, self.clear), (0x0104, self.get),
             (0x0105, self.set)) if opcode in commands}
        self.peer = component(self.answers)

    def add(self, dpa):
        self.records = bytes.fromhex(
            'ca95afa7f18340188c2f95268e101a2a' '80' '000000' '0100' '0000')
        self.records += bytes(24) + bytes([2, 0, 0, 0, 0, 0, 0, 0])
        self.records += struct.pack('<QQ', dpa, BLOCK) + bytes(24 + 32)

    def read(self, payload):
        equal(payload, bytes([4]))
        return 0, (bytes(20) + struct.pack('<H', len(self.records) // 128) +
                   bytes(10) + self.records)

    def clear(self, payload):
        equal(payload, bytes([4, 0, 1, 0, 0, 0, 1, 0]))
        self.records = b''
        return 0, b''

    def get(self, payload):
        return 0, struct.pack('<H', self.policy[-1])

    def set(self, payload):
        self.policy += struct.unpack('<H', payload)
        return 0, b''

    def wait_for_looks(self, number):
        end = time.monotonic() + PATIENCE
        while self.peer.asked.count(0x0100) < number:
            assert time.monotonic() < end
            time.sleep(0.01)


@case
def watch_is_told_of_records():
    log = EventLog(0x0100, 0x0101, 0x0104, 0x0105)
    watch = subprocess.Popen(
        [program, '-c', log.peer.url, '--json', 'watch', '--count', '1'],
        stdout=subprocess.PIPE, env=environment())
    log.wait_for_looks(1)
    # several times as long as it would take to look again
    time.sleep(2)
    equal(log.peer.asked.count(0x0100), 1)
    log.add(DC_BASE)
    log.peer.tell(0x10)
    out, _ = watch.communicate(timeout=PATIENCE)
    equal(watch.returncode, DONE)
    equal(json.loads(out)['extent']['dpa'], DC_BASE)
    equal(log.peer.trouble, None)
    equal(log.peer.acknowledged, [0x77])
    equal(log.policy, [0x8000, 0x8010, 0x8000])


@case
def a_notice_before_an_answer_is_kept():
    """Without it the program would wait for the next one for ever."""
    log = EventLog(0x0100, 0x0101, 0x0104, 0x0105)
    read = log.read

    def read_and_tell(payload):
        answer = read(payload)
        if log.peer.asked.count(0x0100) == 1:
            log.add(DC_BASE)
            log.peer.tell(0x10)
        return answer
    log.answers[0x0100] = read_and_tell
    out, _ = Fm(log.peer.url).call('--json watch --count 1')
    equal(json.loads(out)['extent']['dpa'], DC_BASE)


@case
def watch_looks_where_nobody_tells():
    silent = EventLog(0x0100, 0x0101)
    asked = EventLog(0x0100, 0x0101, 0x0104, 0x0105)
    for log, more in (silent, []), (asked, ['--interval', '10']):
        watch = subprocess.Popen(
            [program, '-c', log.peer.url, '--json', 'watch', '--count', '1',
             *more], stdout=subprocess.PIPE, env=environment())
        log.wait_for_looks(2)
        log.add(DC_BASE)
        out, _ = watch.communicate(timeout=PATIENCE)
        equal(watch.returncode, DONE)
        equal(json.loads(out)['extent']['dpa'], DC_BASE)
        equal(log.policy, [0x8000])


@case
def the_component_says_how_long_a_message_may_be():
    asked = []

    def extents(payload):
        asked.append(struct.unpack('<I', payload[4:8])[0])
        return 0, struct.pack('<HHIIIII', 0, 0, 0, 0, 0, 1, 0)
    for log2, room in ((8, 5), (10, 24), (20, 101)):
        Fm(component({0x5603: extents}, log2).url).text('extents')
        equal(asked.pop(), room)
        # the header counts
        peer_ = component({0xc000: (0, b'')}, log2)
        limit = min((1 << log2) - 12, 4096)
        Fm(peer_.url).text('raw c000', '00' * limit)
        if limit < 4096:
            Fm(peer_.url).call('raw c000', '00' * (limit + 1), status=USAGE)
        equal(peer_.trouble, None)


run()
