# SPDX-License-Identifier: GPL-2.0-or-later
"""A cxl-poold, and heads that speak its protocol without QEMU.

Messages are written here a second time and on purpose, from
docs/interop/cxl-pool.rst: they check the bytes of the daemon without the
library that made them.
"""

import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import uuid

from fm_machine import PATIENCE, Event
from wire_peer import UNIT, frame

HELLO, ATTACH, DETACH, REQUEST, ENDED, CREDIT, INFO, HANDOVER, REPLY = range(
    1, 10)
(WELCOME, VIEW, ATTACHED, ANSWER, ON, OFF, EVENTS, ERROR, HANDED, TUNNEL,
 REFUSED) = range(0x81, 0x8c)
MAGIC = b'CXPL'
VERSION = 3
ROOM = 100


def join(ranges):
    """(address, length) without borders between neighbours."""
    joined = []
    for dpa, length in sorted(ranges):
        if joined and sum(joined[-1]) == dpa:
            joined[-1] = (joined[-1][0], joined[-1][1] + length)
        else:
            joined.append((dpa, length))
    return joined


class Daemon:
    """The program with a folder of its own."""

    def __init__(self, program, *options, user=None):
        self.program = program
        self.options = options
        self.user = user
        self.folder = tempfile.TemporaryDirectory(prefix='cxl-poold-')
        self.errors = open(self.path('errors'), 'w+b')
        self.process = None
        if user is not None:
            # build folders may be closed to it
            self.program = shutil.copy(program, self.path('cxl-poold'))
            os.chmod(self.program, 0o755)
            os.chown(self.folder.name, user, user)
        self.start()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    @property
    def fm(self):
        return 'unix:' + self.path('pool/fm.sock')

    @property
    def heads(self):
        return self.path('pool/heads.sock')

    def start(self):
        """It is there when it takes connections: they wait in its queue."""
        for name in ('fm.sock', 'heads.sock'):
            if os.path.exists(self.path('pool/' + name)):
                os.unlink(self.path('pool/' + name))
        self.process = subprocess.Popen(
            [self.program, *self.options, self.path('pool')],
            stdin=subprocess.DEVNULL, stderr=self.errors, user=self.user,
            group=self.user, extra_groups=None if self.user is None else [])
        while not os.path.exists(self.path('pool/fm.sock')):
            if self.process.poll() is not None:
                raise RuntimeError('it does not start: ' + self.words())
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                pass

    def words(self):
        self.errors.seek(0)
        said = self.errors.read().decode(errors='replace').splitlines(True)
        # "make coverage" counts in files that another user cannot write
        return ''.join(x for x in said if not x.startswith('profiling:'))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self):
        self.kill()
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        words = self.words()
        self.errors.close()
        self.folder.cleanup()
        if code or words:
            raise RuntimeError(f'cxl-poold ended with {code}: {words}')


class Closed(Exception):
    """The daemon has ended the connection; its words, if it said some."""


class Declined(Closed):
    """The daemon has refused an ATTACH, and nothing else."""


class Line:
    """A connection to the daemon for heads; @brings: a descriptor of the
    memory that it has already."""

    def __init__(self, daemon, greet=True, brings=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        while True:
            try:
                self.socket.connect(daemon.heads)
                break
            except (ConnectionRefusedError, FileNotFoundError) as error:
                if daemon.process.poll() is not None:
                    raise Closed('it has ended') from error
        self.rest = b''
        self.memory = None
        self.fds = []
        self.brings = None
        if greet:
            self.brings = brings
            self.send(HELLO, MAGIC + struct.pack('<HH', VERSION, VERSION))
            kind, _, self.welcome = self.read()
            assert kind == WELCOME, kind
            self.size = struct.unpack('<Q', self.welcome[8:16])[0]
            assert len(self.fds) == 1, self.fds
            self.memory = mmap.mmap(self.fds[0], self.size)

    def close(self):
        self.socket.close()
        for fd in self.fds:
            os.close(fd)
        self.fds = []
        if self.memory:
            self.memory.close()

    def send(self, kind, body=b'', head=0):
        self.send_bytes(struct.pack('<IBBH', 8 + len(body), kind, 0, head) +
                        body)

    def send_bytes(self, data):
        try:
            if self.brings is not None:
                # short enough to go as a whole
                socket.send_fds(self.socket, [data], [self.brings])
                self.brings = None
            else:
                self.socket.sendall(data)
        except OSError:
            # the daemon may have said why, which ends in Closed
            while True:
                self.read()

    def some(self, wanted):
        while len(self.rest) < wanted:
            try:
                data, fds, _, _ = socket.recv_fds(self.socket, 65536, 1)
            except ConnectionResetError:
                data, fds = b'', []
            self.fds += fds
            if not data:
                raise Closed('')
            self.rest += data

    def read(self):
        """The next message: type, head, body."""
        self.some(8)
        length, kind, zero, head = struct.unpack('<IBBH', self.rest[:8])
        assert length >= 8 and not zero
        self.some(length)
        body, self.rest = self.rest[8:length], self.rest[length:]
        if kind == ERROR:
            raise Closed(body.decode())
        if kind == REFUSED:
            raise Declined(body.decode())
        return kind, head, body


def pieces(body):
    """Number and (dpa, length, media) of a list."""
    number, n, zero = struct.unpack('<QII', body[:16])
    assert not zero and len(body) == 16 + 24 * n
    return number, [struct.unpack('<QQQ', body[16 + 24 * i:][:24])
                    for i in range(n)]


class Host:
    """A head that keeps what it may access, and answers when it is told to."""

    def __init__(self, line, head, base=0, instance=None, heard=0, acks=True,
                 goes_on=False):
        self.line, self.head, self.base = line, head, base
        self.instance = instance or uuid.uuid4()
        self.view = {}
        self.events = []
        self.heard = heard
        self.last = 0
        self.acks = acks
        self.owed = []
        self.answers = {}
        self.tunnels = []       # number, opcode, room, payload
        self.attached = False
        self.handed = None
        self.leaves = False     # and answers nothing
        self.attach(goes_on)

    def attach(self, goes_on=False):
        self.attached = False
        self.line.send(ATTACH, self.instance.bytes +
                       struct.pack('<Q8IQII', self.base, *range(8),
                                   self.heard, ROOM, goes_on), self.head)
        while not self.attached:
            self.take()

    def move(self, line, goes_on=False):
        """The same head on another connection."""
        self.line = line
        self.view = {}
        self.attach(goes_on)

    def hand_over(self):
        """Return as whom it goes on, once the daemon knows."""
        name = uuid.uuid4()
        self.leaves = True
        try:
            self.line.send(HANDOVER, name.bytes, self.head)
            while self.handed != name:
                self.take()
        finally:
            self.leaves = False
        self.view = {}
        return name

    def ended(self, ticket):
        if self.leaves:
            return
        if self.acks:
            self.line.send(ENDED, struct.pack('<Q', ticket), self.head)
        else:
            self.owed.append(ticket)

    def pay(self):
        self.acks = True
        for ticket in self.owed:
            self.ended(ticket)
        self.owed = []

    def take(self):
        kind, head, body = self.line.read()
        assert head == self.head
        if kind in (VIEW, ON):
            for dpa, length, media in pieces(body)[1]:
                self.view[dpa] = (length, media)
        elif kind == OFF:
            ticket, gone = pieces(body)
            for dpa, length, _ in gone:
                self.cut(dpa, length)
            self.ended(ticket)
        elif kind == ATTACHED:
            self.attached = True
            self.ended(struct.unpack('<Q', body)[0])
        elif kind == EVENTS:
            first, n, _ = struct.unpack('<QII', body[:16])
            assert first <= self.heard + 1
            for i in range(n):
                if first + i > self.heard:
                    self.heard = first + i
                    self.events.append(Event(body[16 + 0x80 * i:][:0x80]))
            if not self.leaves:
                self.line.send(CREDIT, struct.pack('<QII', self.heard, ROOM,
                                                   0), self.head)
        elif kind == HANDED:
            self.handed = uuid.UUID(bytes=body)
        elif kind == ANSWER:
            number, code = struct.unpack('<QH', body[:10])
            self.answers[number] = (code, body[16:])
        elif kind == TUNNEL:
            number, opcode, zero, room = struct.unpack('<QHHI', body[:16])
            assert not zero
            self.tunnels.append((number, opcode, room, body[16:]))
        else:
            raise AssertionError(kind)

    def inform(self, volatile=0, persistent=0, link=bytes(9)):
        """What its machine says when it is set up."""
        self.line.send(INFO, struct.pack('<QQ9s7x', volatile, persistent,
                                         link), self.head)
        # a manager asks on another connection
        self.sync()

    def tunnel(self):
        """The next request of a manager to its logical device."""
        while not self.tunnels:
            self.take()
        return self.tunnels.pop(0)

    def reply(self, number, payload=b'', code=0, background=False):
        self.line.send(REPLY, struct.pack('<QHHI', number, code, background,
                                          0) + payload, self.head)

    def cut(self, dpa, length):
        for at, (size, media) in list(self.view.items()):
            if at < dpa + length and dpa < at + size:
                del self.view[at]
                if at < dpa:
                    self.view[at] = (dpa - at, media)
                if dpa + length < at + size:
                    skip = dpa + length - at
                    self.view[dpa + length] = (size - skip, media + skip)

    def ask(self, opcode, payload=b'', room=4096):
        self.last += 1
        self.line.send(REQUEST, struct.pack('<QHHI', self.last, opcode, 0,
                                            room) + payload, self.head)
        return self.last

    def command(self, opcode, payload=b'', room=4096):
        number = self.ask(opcode, payload, room)
        while number not in self.answers:
            self.take()
        return self.answers[number]

    def sync(self):
        """All that was said before has been heard."""
        code, _ = self.command(0x4801, struct.pack('<II', 0, 0))
        assert code == 0, code

    def list(self):
        """(dpa, length) that the host has."""
        code, data = self.command(0x4801, struct.pack('<II', 1000, 0), 1 << 20)
        assert code == 0, code
        n = struct.unpack('<I', data[:4])[0]
        return sorted(struct.unpack('<QQ', data[16 + 40 * i:][:16])
                      for i in range(n))

    def respond(self, opcode, ranges):
        body = struct.pack('<IBBBB', len(ranges), 0, 0, 0, 0)
        for dpa, length in ranges:
            body += struct.pack('<QQQ', dpa, length, 0)
        return self.command(opcode, body)[0]

    def accept(self):
        """All that is offered; (dpa, length) of it."""
        self.sync()
        group, done = [], []
        for event in self.events:
            if event.type == 0:
                group.append((event.extent.dpa, event.extent.length))
                if not event.more:
                    assert self.respond(0x4802, group) == 0
                    done += group
                    group = []
        self.events = []
        return done

    def release(self, *ranges):
        assert self.respond(0x4803, ranges) == 0

    def media(self, dpa):
        for at, (size, media) in self.view.items():
            if at <= dpa < at + size:
                return media + (dpa - at) - self.base
        raise AssertionError(f'{dpa:#x} is not accessible: {self.view}')

    def write(self, dpa, data):
        at = self.media(dpa)
        self.line.memory[at:at + len(data)] = data

    def read(self, dpa, length):
        at = self.media(dpa)
        return self.line.memory[at:at + length]


# -- a Fabric Manager ---------------------------------------------------------

class FmLine:
    """Commands over MCTP in serial frames, without a program's start each."""

    def __init__(self, daemon, name='pool/fm.sock'):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        while True:
            try:
                self.socket.connect(daemon.path(name))
                break
            except ConnectionRefusedError:
                # its name is there before it listens
                if daemon.process.poll() is not None:
                    raise
        self.rest = b''
        self.tag = 0

    def close(self):
        self.socket.close()

    def byte(self):
        if not self.rest:
            try:
                self.rest = self.socket.recv(65536)
            except OSError as error:
                raise Closed('') from error
            if not self.rest:
                raise Closed('')
        byte, self.rest = self.rest[0], self.rest[1:]
        return byte

    def packet(self):
        while self.byte() != 0x7e:
            pass
        while (byte := self.byte()) == 0x7e:
            pass
        assert byte == 1, byte
        data = b''
        length = self.byte()
        while len(data) < length:
            byte = self.byte()
            data += bytes([self.byte() ^ 0x20 if byte == 0x7d else byte])
        self.byte(), self.byte()
        return data

    def ask(self, opcode, payload=b''):
        self.tag = (self.tag + 1) % 8
        kind = 7 if 0x51 <= opcode >> 8 <= 0x59 else 8
        body = bytes([kind, 0, self.tag, 0]) + struct.pack(
            '<HHBHH', opcode, len(payload) & 0xffff, len(payload) >> 16, 0, 0)
        body += payload
        out = b''
        for at in range(0, len(body), UNIT):
            flags = (0x80 if not at else 0) | \
                (0x40 if at + UNIT >= len(body) else 0) | \
                at // UNIT % 4 << 4 | 8 | self.tag
            out += frame(bytes([1, 0, 8, flags]) + body[at:at + UNIT])
        try:
            self.socket.sendall(out)
        except OSError as error:
            raise Closed('') from error

    def answer(self):
        answer = b''
        while True:
            data = self.packet()
            answer += data[4:]
            if data[3] & 0x40:
                break
        return struct.unpack('<H', answer[9:11])[0], answer[13:]

    def command(self, opcode, payload=b''):
        """Return the code and the answer."""
        self.ask(opcode, payload)
        return self.answer()

    def ask_device(self, head, opcode, payload=b'', target=0, tag=0x5a):
        """A tunnel to the logical device of a head."""
        inner = struct.pack('<BBBHBHHH', 0, tag, 0, opcode,
                            len(payload) & 0xff, len(payload) >> 8, 0, 0)
        self.ask(0x5300, struct.pack('<BBH', head, target, len(inner) +
                                     len(payload)) + inner + payload)

    def device(self, head, opcode, payload=b''):
        """Code and answer of the device; or the tunnel's code, and None."""
        self.ask_device(head, opcode, payload)
        return self.device_answer(opcode)

    def device_answer(self, opcode, tag=0x5a):
        code, data = self.answer()
        if code:
            assert not data
            return code, None
        size, zero = struct.unpack('<HH', data[:4])
        assert not zero and size == len(data) - 4
        (category, was, zero, op, low, high, inner, vendor) = struct.unpack(
            '<BBBHBHHH', data[4:16])
        self.background = bool(high & 0x8000)
        assert (category, was, zero, op, vendor) == (1, tag, 0, opcode, 0)
        assert low | (high & 0xfff) << 8 == size - 12
        return inner, data[16:]

    def add(self, host, policy, region, length, tag=bytes(16)):
        return self.command(0x5604, struct.pack(
            '<HBBQ16sI', host, policy, region, length, tag, 0))[0]

    def release(self, host, dpa, length, forced):
        return self.command(0x5605, struct.pack(
            '<HBBQ16sIQQ16sHHI', host, 1 | (16 if forced else 0), 0, 0,
            bytes(16), 1, dpa, length, bytes(16), 0, 0, 0))[0]

    def list(self, host):
        found, start = [], 0
        while True:
            code, data = self.command(0x5603, struct.pack('<HHII', host, 0, 64,
                                                          start))
            assert code == 0, code
            total, n = struct.unpack('<I', data[12:16])[0], \
                struct.unpack('<I', data[8:12])[0]
            for i in range(n):
                found.append(struct.unpack('<QQ', data[24 + 40 * i:][:16]))
            start += n
            if start >= total:
                return sorted(found)
