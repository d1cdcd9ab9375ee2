#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Throws at a cxl-poold what no head and no Fabric Manager would say.

usage: fuzz-cxl-poold.py CXL-POOLD [ROUNDS [SEED...]]

A round is a connection for heads, or of a manager, with messages that are nearly
right, or noise. A host that behaves is there all the time. Behind each round:
 - its list, that of the manager, and what it was told to map are one;
 - what it has written is there, as far as it has that block still;
 - no block has two owners, unless it is shared.
At the end the daemon is the process that it was, with no more descriptors, and
says the same when it is started again.
"""

import os
import random
import socket
import struct
import sys
import uuid

from poold import (ATTACH, CREDIT, DETACH, ENDED, HELLO, INFO, MAGIC, REPLY,
                   REQUEST, VERSION, Closed, Daemon, FmLine, Host, Line,
                   join)
from wire_peer import frame

MIB = 1 << 20
BLOCK = 2 * MIB
HEADS = 4
SHARED = 256 * MIB      # region 1
# Descriptors that may stay: the process of each head that was there, once
MORE = HEADS
POOL = ('--size=512M', '--regions=2', f'--heads={HEADS}',
        '--set=dc1-sharable=on')
OPCODES = (0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0100, 0x0101, 0x0300,
           0x0301, 0x0400, 0x0401, 0x0402, 0x0405, 0x5300, 0x5400, 0x5401,
           0x5402, 0x5500, 0x5501, 0x5600, 0x5601, 0x5602, 0x5603, 0x5604,
           0x5605, 0x5606, 0x5607, 0x5608)


class Noise:
    """Bytes that follow from a seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def number(self, bits):
        """More often one that means something."""
        r = self.rng
        return r.choice((
            r.randrange(4), r.randrange(1 << min(bits, 6)),
            r.randrange(256) * BLOCK, (1 << bits) - 1 - r.randrange(2),
            r.getrandbits(bits), 1 << r.randrange(bits))) & (1 << bits) - 1

    def bytes(self, most):
        return self.rng.randbytes(self.rng.randrange(most))

    def numbers(self, form):
        """Of a struct, whose letters are sizes."""
        bits = {'B': 8, 'H': 16, 'I': 32, 'Q': 64}
        return struct.pack('<' + form, *(self.number(bits[c]) for c in form))

    def spoil(self, data):
        """Some bytes are others, or there are more or fewer."""
        r, data = self.rng, bytearray(data)
        for _ in range(r.choice((0, 0, 1, 1, 4))):
            what = r.randrange(4)
            at = r.randrange(len(data)) if data else 0
            if what == 0 and data:
                data[at] = r.randrange(256)
            elif what == 1 and data:
                data[at] ^= 1 << r.randrange(8)
            elif what == 2:
                data[at:at] = r.randbytes(r.randrange(1, 9))
            else:
                del data[at:at + r.randrange(1, 9)]
        return bytes(data)

    # -- a head ---------------------------------------------------------------

    def request(self):
        r = self.rng
        opcode = r.choice((0x4800, 0x4801, 0x4802, 0x4803, 0, self.number(16)))
        n = r.randrange(4)
        payload = r.choice((
            b'', self.numbers('BB'), self.numbers('II'),
            struct.pack('<II', n, r.randrange(2)) +
            b''.join(self.numbers('QQQ') for _ in range(n)), self.bytes(64)))
        return struct.pack('<QHHI', r.randrange(1, 50), opcode, 0,
                           r.choice((0, 64, 4096, 1 << 20, 1 << 30))) + payload

    def body(self, kind):
        r = self.rng
        if kind == ATTACH:
            return uuid.UUID(int=r.randrange(1, 4)).bytes + struct.pack(
                '<Q8IQII', r.choice((0, 0, 256 * MIB, self.number(64))),
                *range(8), r.choice((0, 0, self.number(64))), self.number(32),
                0)
        if kind == REQUEST:
            return self.request()
        if kind == REPLY:
            return self.numbers('QHHI') + self.bytes(64)
        forms = {HELLO: 'IHH', DETACH: '', ENDED: 'Q', CREDIT: 'QII',
                 INFO: 'QQQQ'}
        return self.numbers(forms.get(kind, 'QQ'))

    def message(self):
        r = self.rng
        kind = r.choice((ATTACH, DETACH, REQUEST, REQUEST, REQUEST, ENDED,
                         CREDIT, INFO, REPLY, HELLO, r.randrange(256)))
        body = self.body(kind)
        data = struct.pack('<IBBH', 8 + len(body), kind, 0,
                           r.choice((0, 1, 2, 3, 3, HEADS, self.number(16))))
        return data + body if r.random() < .6 else self.spoil(data + body)

    # -- a manager ------------------------------------------------------------

    def payload(self, opcode):
        r = self.rng
        if opcode == 0x5604:
            n = r.randrange(3)
            return struct.pack('<HBBQ16sI', r.randrange(HEADS + 1),
                               r.randrange(5), r.randrange(3),
                               r.randrange(8) * BLOCK,
                               bytes([r.randrange(3)]) * 16, n) + b''.join(
                struct.pack('<QQ24x', self.number(64), BLOCK)
                for _ in range(n))
        if opcode == 0x5605:
            return struct.pack('<HBBQ16sIQQ24x', r.randrange(HEADS + 1),
                               r.choice((0, 1, 17, 49)), 0,
                               r.randrange(8) * BLOCK, bytes(16), 1,
                               r.randrange(256) * BLOCK, BLOCK)
        if opcode == 0x5300:
            inner = struct.pack('<BBBHBHHH', 0, 1, 0, self.number(16),
                                r.randrange(32), 0, 0, 0) + self.bytes(32)
            return struct.pack('<BBH', r.randrange(HEADS + 1), r.randrange(3),
                               len(inner)) + inner
        return self.numbers(''.join(r.choice('BHIQ')
                                    for _ in range(r.randrange(6))))

    def packet(self):
        """Whole messages in one frame, nearly always."""
        r = self.rng
        opcode = r.choice(OPCODES + (self.number(16), ))
        payload = self.payload(opcode)
        body = struct.pack('<BBBBHBHHH', 7 if 0x51 <= opcode >> 8 <= 0x59 else
                           8, 0, r.randrange(256), 0, opcode,
                           len(payload) & 0xff, len(payload) >> 8, 0, 0)
        body = self.spoil(body + payload)[:64]
        if r.random() < .1:
            return frame(self.bytes(68))
        return frame(bytes([1, 0, 8, r.choice((0xc8, 0xc8, 0xc8, 0x88, 0x48,
                                               0x18)) | r.randrange(8)]) + body)


class World:
    def __init__(self, program, seed):
        self.noise = Noise(seed)
        self.rng = self.noise.rng
        self.daemon = Daemon(program, *POOL)
        self.line = Line(self.daemon)
        self.host = Host(self.line, 0)
        self.host.inform()
        self.marks = {}
        self.fm = FmLine(self.daemon)

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.daemon.process.pid}/fd'))

    def throw(self, s, data):
        """Until it is not wanted any more."""
        try:
            s.sendall(data)
        except OSError:
            pass

    def end(self, s):
        """When the daemon has taken all of it."""
        try:
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
        except OSError:
            pass
        s.close()

    def be_a_head(self):
        r = self.rng
        line = Line(self.daemon, greet=r.random() < .8)
        if line.memory and r.random() < .7:
            self.begin_well(line, r.randrange(1, HEADS))
        for _ in range(r.randrange(8)):
            if r.random() < .1:
                try:
                    socket.send_fds(line.socket, [self.noise.message()],
                                    [0] * r.randrange(1, 4))
                except OSError:
                    pass
            else:
                self.throw(line.socket, self.noise.message() if
                           r.random() < .9 else self.noise.bytes(4096))
        s, line.socket = line.socket, socket.socket()
        self.end(s)
        line.close()

    def begin_well(self, line, number):
        """As a head that may have something, until it is not understood."""
        r = self.rng
        try:
            host = Host(line, number, r.choice((0, 256 * MIB)),
                        uuid.UUID(int=r.getrandbits(128) | 1),
                        acks=r.random() < .5)
            host.inform()
            host.sync()
            self.fm.add(number, 0, r.randrange(2), 2 * BLOCK,
                        bytes([r.randrange(1, 3)]) * 16)
            if r.random() < .9:
                host.accept()
        except Closed as closed:
            # at another place it cannot be while it has something
            assert 'static capacity' in str(closed), closed

    def be_a_manager(self):
        r = self.rng
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.daemon.path('pool/fm.sock'))
        for _ in range(r.randrange(12)):
            self.throw(s, self.noise.packet() if r.random() < .95 else
                       self.noise.bytes(4096))
        self.end(s)

    def live(self):
        """The host that behaves takes what it is offered."""
        host = self.host
        if self.rng.random() < .3:
            self.fm.add(0, self.rng.choice((0, 0, 3)), 0, 2 * BLOCK)
        host.sync()
        while host.tunnels:
            host.reply(host.tunnels.pop(0)[0], b'here')
        group = []
        events, host.events = host.events, []
        for event in events:
            if event.type == 0:
                group.append((event.extent.dpa, event.extent.length))
                if not event.more:
                    # a withdrawn one is not there
                    assert host.respond(0x4802, group) in (0, 2, 0x0f)
                    group = []
        for dpa, (length, _) in host.view.items():
            for at in range(dpa, dpa + length, BLOCK):
                if at not in self.marks and at < SHARED:
                    self.marks[at] = self.rng.randbytes(8)
                    host.write(at, self.marks[at])

    def check(self):
        host = self.host
        host.sync()
        seen = join((dpa, n) for dpa, (n, _) in host.view.items())
        assert seen == join(host.list()) == join(self.fm.list(0))
        for at in list(self.marks):
            if not any(dpa <= at < dpa + n for dpa, n in seen):
                del self.marks[at]
            else:
                assert host.read(at, 8) == self.marks[at], hex(at)
        owned = []
        for number in range(HEADS):
            # where a host's regions begin
            code, data = self.fm.command(0x5601, struct.pack('<HBB', number, 1,
                                                             0))
            assert code == 0, code
            base = struct.unpack('<Q', data[4:12])[0]
            owned += [(dpa - base, n) for dpa, n in self.fm.list(number)
                      if dpa - base < SHARED]
        end = 0
        for dpa, n in sorted(owned):
            assert dpa >= end, f'{dpa:#x} has two owners'
            end = dpa + n


def run(program, rounds, seed):
    world = World(program, seed)
    with world.daemon:
        world.live()
        world.check()
        pid, most = world.daemon.process.pid, world.descriptors() + MORE
        for done in range(rounds):
            try:
                world.rng.choice((world.be_a_head, world.be_a_manager))()
                world.live()
                world.check()
            except BaseException:
                print(f'# round {done}', flush=True)
                raise
        assert world.daemon.process.pid == pid and world.descriptors() <= most
        world.fm.close()
        world.daemon.restart()
        world.host.move(Line(world.daemon))
        world.fm = FmLine(world.daemon)
        world.check()


def main():
    program = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    seeds = [int(seed) for seed in sys.argv[3:]] or [1, 2]
    print(f'1..{len(seeds)}', flush=True)
    for number, seed in enumerate(seeds, 1):
        try:
            run(program, rounds, seed)
        except BaseException:
            print(f'not ok {number} seed {seed}', flush=True)
            raise
        print(f'ok {number} {rounds} rounds of seed {seed}', flush=True)


try:
    main()
except Closed as closed:
    sys.exit(f'the connection of who behaves has ended: {closed}')
