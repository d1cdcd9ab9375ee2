#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills a cxl-poold, its hosts and its Fabric Manager's connections at random.

usage: crash-cxl-poold.py CXL-POOLD [ROUNDS [SEED]]

A round is some random steps of three hosts and an FM, in which one of them is
killed: the daemon by SIGKILL while it works, a host or the FM by its
connection. A step may be that a host hands its head over, and goes on as whom
it has said. Behind each round, with everybody there again:
 - lists of the host, of the FM, and what the host was told to map are one;
 - no block has two owners, unless it is shared;
 - what a host has written is there, and what it is given is zero.
A seed repeats the steps, not the instructions at which the daemon is hit.
"""

import os
import random
import signal
import struct
import sys
import threading
import time

from poold import Closed, Daemon, FmLine, Host, Line, join

MIB = 1 << 20
BLOCK = 2 * MIB
HOSTS = 3
STEPS = 12
STATIC = (0, 256 * MIB, 512 * MIB)
POOL = ('--size=512M', '--regions=2', '--heads=3',
        '--set=dc1-sharable=on')
SHARED = 256 * MIB      # region 1
MARK = 8


class Machine:
    """A host that keeps on asking until it knows the answer."""

    def __init__(self, world, number):
        self.world, self.number = world, number
        self.host = None
        self.line = None
        self.marks = {}         # block of the medium: what was written there

    def connect(self):
        if self.line:
            self.line.close()
        while True:
            try:
                self.line = Line(self.world.daemon)
                if self.host:
                    self.host.move(self.line, goes_on=True)
                else:
                    self.host = Host(self.line, self.number,
                                     STATIC[self.number])
                return
            except Closed as closed:
                assert 'elsewhere' not in str(closed), closed
                # the daemon has not heard of the other connection's end
                if 'already' not in str(closed):
                    self.world.revive()

    def leave(self):
        """Whether the daemon knows of it or not, it is what it was."""
        try:
            self.host.instance = self.host.hand_over()
            self.host.last = 0
            self.host.answers = {}
            self.host.attach(goes_on=True)
        except Closed:
            self.world.revive()
            self.connect()

    def command(self, opcode, payload=b''):
        number = None
        while True:
            try:
                if number is None:
                    number = self.host.last + 1
                    return self.host.command(opcode, payload, 1 << 16)
                self.host.last = number - 1
                return self.host.command(opcode, payload, 1 << 16)
            except Closed:
                self.world.revive()
                self.connect()

    def sync(self):
        assert self.command(0x4801, bytes(8))[0] == 0

    def respond(self, opcode, ranges):
        body = struct.pack('<II', len(ranges), 0)
        for dpa, length in ranges:
            body += struct.pack('<QQQ', dpa, length, 0)
        return self.command(opcode, body)[0]

    def blocks(self, ranges):
        for dpa, length in ranges:
            for at in range(dpa, dpa + length, BLOCK):
                yield at

    def answer_offers(self, rng):
        self.sync()
        group = []
        events, self.host.events = self.host.events, []
        for event in events:
            if event.type:
                continue
            shared = event.extent.tag.int != 0
            group.append((event.extent.dpa, event.extent.length))
            if event.more:
                continue
            code = self.respond(0x4802, group if rng.random() < .8 else [])
            # a withdrawn offer is none
            assert code in (0, 0x0f, 0x02), code
            for at in self.blocks(group):
                if code == 0 and self.has(at) and not shared:
                    found = self.host.read(at, BLOCK)
                    assert found == bytes(BLOCK), f'old data at {at:#x}'
                    self.stamp(at, rng)
            group = []

    def has(self, at):
        return any(a <= at < a + n for a, (n, _) in self.host.view.items())

    def stamp(self, at, rng):
        mark = rng.randbytes(MARK)
        self.marks[self.host.media(at)] = mark
        self.host.write(at, mark)

    def check(self, fm):
        self.sync()
        code, data = self.command(0x4801, struct.pack('<II', 1000, 0))
        assert code == 0
        mine = sorted(struct.unpack('<QQ', data[16 + 40 * i:][:16])
                      for i in range(struct.unpack('<I', data[:4])[0]))
        seen = sorted((a, n) for a, (n, _) in self.host.view.items())
        assert join(seen) == join(mine), (self.number, seen, mine)
        assert fm.list(self.number) == mine, self.number
        owned = {self.host.media(at): at for at in self.blocks(mine)}
        for media, mark in list(self.marks.items()):
            if media not in owned:
                del self.marks[media]
                continue
            found = self.host.read(owned[media], MARK)
            assert found == mark, f'host {self.number} lost {media:#x}'
        return owned


class World:
    def __init__(self, program, seed):
        self.rng = random.Random(seed)
        self.daemon = Daemon(program, *POOL)
        self.fm = None
        self.killer = None
        self.machines = [Machine(self, n) for n in range(HOSTS)]
        self.kills = {'daemon': 0, 'host': 0, 'fm': 0}
        for m in self.machines:
            m.connect()
        self.fm = FmLine(self.daemon)

    def revive(self):
        """Whoever meets the daemon's end starts it again."""
        if self.killer:
            self.killer.join()
            self.killer = None
        code = self.daemon.process.poll()
        if code is None:
            return
        assert code == -signal.SIGKILL, f'it ended by itself, with {code}'
        self.daemon.start()
        for m in self.machines:
            if m.host:
                m.connect()

    def ask(self, what, *arguments):
        """A command of the FM, which does not know whether it was done."""
        while True:
            try:
                return getattr(self.fm, what)(*arguments)
            except (Closed, AssertionError, OSError):
                self.revive()
                self.fm.close()
                try:
                    self.fm = FmLine(self.daemon)
                except OSError:
                    pass
                if what != 'list':
                    return None

    def list(self, host):
        return self.ask('list', host)

    def step(self):
        rng = self.rng
        m = rng.choice(self.machines)
        what = rng.randrange(8)
        if what < 2:
            self.ask('add', m.number, 0, 0, rng.randrange(1, 5) * BLOCK)
        elif what == 2:
            self.ask('add', m.number, rng.choice((0, 3)), 1, 2 * BLOCK,
                     bytes([1 + rng.randrange(3)]) * 16)
        elif what == 3:
            m.answer_offers(rng)
        elif what == 4 and m.host.view:
            dpa = rng.choice(sorted(m.host.view))
            code = m.respond(0x4803, [(dpa, m.host.view[dpa][0])])
            assert code in (0, 0x1e, 0x0f), code
        elif what == 5 and m.host.view:
            dpa = rng.choice(sorted(m.host.view))
            self.ask('release', m.number, dpa, m.host.view[dpa][0], True)
        elif what == 6:
            m.sync()
        elif what == 7:
            m.leave()

    def kill_soon(self):
        delay = self.rng.random() * .03
        process = self.daemon.process

        def kill():
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.killer = threading.Thread(target=kill)
        self.killer.start()
        self.kills['daemon'] += 1

    def round(self):
        rng = self.rng
        victim = rng.choice(('daemon', 'daemon', 'host', 'fm'))
        when = rng.randrange(STEPS)
        for n in range(STEPS):
            if n == when and victim == 'daemon':
                self.kill_soon()
            elif n == when and victim == 'host':
                rng.choice(self.machines).connect()
                self.kills['host'] += 1
            elif n == when:
                self.fm.close()
                self.kills['fm'] += 1
            self.step()
        if self.killer:
            self.killer.join()
            self.killer = None
            self.revive()
        for m in self.machines:
            m.answer_offers(rng)
        owners = {}
        for m in self.machines:
            for media in m.check(self):
                if media < SHARED:
                    assert media not in owners, \
                        f'{media:#x}: hosts {owners[media]} and {m.number}'
                    owners[media] = m.number


def main():
    program = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else \
        int.from_bytes(os.urandom(4), 'little')
    print('1..1', flush=True)
    world = World(program, seed)
    done = 0
    try:
        with world.daemon:
            for done in range(rounds):
                world.round()
    except BaseException:
        print(f'not ok 1 round {done} of seed {seed}', flush=True)
        raise
    print(f'ok 1 {rounds} rounds, seed {seed}: killed ' +
          ', '.join(f'{n} times the {who}' for who, n in world.kills.items()))


main()
