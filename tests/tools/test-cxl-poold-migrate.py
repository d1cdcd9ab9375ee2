#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine goes to another QEMU, which takes over its head of a cxl-poold's
pool.

usage: test-cxl-poold-migrate.py QEMU CXL-FM CXL-POOLD SCRIPTS [CASE...]
"""

import functools
import os
import signal
import socket
import struct
import threading
import time

# it goes first: it finds the others by the arguments, which it changes
from poold_machine import (NOBODY, Head, add, eventually, pool, until,
                           with_heads)
import guest_qemu
from fm_cases import TAG, Skip, case, equal, has, run
from fm_machine import (BAR2, MB_COMMAND, MB_CONTROL, MB_PAYLOAD, MB_STATUS,
                        MIB, PATIENCE)
from poold import ANSWER, ATTACH, ATTACHED, HELLO, REQUEST, WELCOME, Line

BLOCK = 2 * MIB
REGION = 256 * MIB
INTERNAL_ERROR = 0x04


# -- streams ------------------------------------------------------------------

def ended(machine):
    """How a migration went."""
    while True:
        found = machine.monitor.command('query-migrate')
        if found.get('status') in ('completed', 'failed', 'cancelled'):
            return found
        time.sleep(0.01)


def send(machine, uri):
    machine.monitor.command('migrate', uri=uri)
    equal(ended(machine)['status'], 'completed')


def save(machine, name='stream'):
    path = machine.path(name)
    send(machine, 'file:' + path)
    return path


def fails(machine, uri, pattern):
    machine.monitor.command('migrate', uri=uri)
    found = ended(machine)
    equal(found['status'], 'failed')
    has(found.get('error-desc', ''), pattern)
    eventually('it does not go on', lambda: runs(machine))


def runs(machine):
    return machine.monitor.command('query-status')['running']


def load(machine, uri):
    """The other end; it runs, or has ended with words."""
    try:
        machine.monitor.command('migrate-incoming', uri=uri)
        eventually('it does not run', lambda: runs(machine))
        return True
    except (guest_qemu.AskError, OSError):
        equal(machine.process.wait(PATIENCE), 1)
        return False


def load_stopped(machine, path):
    """The same of a machine that was stopped: it goes on here."""
    machine.monitor.command('migrate-incoming', uri='file:' + path)
    eventually('it is not there', lambda: machine.monitor.command(
        'query-status')['status'] == 'paused')
    machine.monitor.command('cont')


def capability(monitor, name, on=True):
    monitor.command('migrate-set-capabilities', capabilities=[
        {'capability': name, 'state': on}])


def arrive(daemon, path, n=0, static=0, args=()):
    machine = Head(daemon, n, static, args, incoming=True)
    assert load(machine, 'file:' + path), machine.words()
    return machine


def gone(machine):
    """What has ended by itself, or by force."""
    try:
        machine.process.kill()
        machine.__exit__()
    except RuntimeError as error:
        has(str(error), 'ended with')


def extents(machine):
    """(dpa, length) that the device says its host has."""
    code, data = machine.mailbox(0x4801, struct.pack('<II', 64, 0))
    equal(code, 0)
    return sorted(struct.unpack('<QQ', data[16 + 40 * i:][:16])
                  for i in range(struct.unpack('<I', data[:4])[0]))


def holding(value):
    """A case, given a machine whose host has 4 MiB of a pool, @value in the
    first word."""
    def decorate(function):
        @with_heads(0)
        @functools.wraps(function)
        def wrapped(d, fm, a):
            mine = add(fm, a, 0, '--size 4M')
            dpa = mine[0][0]
            a.store(dpa, value)
            function(d, fm, a, mine, dpa)
        return wrapped
    return decorate


# -- it goes on elsewhere -----------------------------------------------------

@with_heads((0, REGION), 1)
def a_machine_finds_its_capacity_in_another_qemu(d, fm, a, other):
    mine = add(fm, a, 0, '--size 4M')
    (dpa, length), = mine
    a.store(dpa, 0x1234)
    a.store(0, 0x77)
    stream = save(a)
    # whoever runs it later, this one reaches nothing any more
    equal(a.load(dpa), NOBODY)
    with open(stream, 'rb') as file:
        data = file.read()
    # its own memory is in there, and that of the pool is not
    equal([data.count(name) for name in (
        b'cxl-pool-remote/p', b'cxl-type3/', b'cxl-pool/p')][::2], [1, 0])
    with arrive(d, stream, static=REGION) as b:
        equal(extents(b), mine)
        equal((b.load(dpa), b.load(0)), (0x1234, 0x77))
        equal(b.why(dpa), None)
        has(fm.text('extents --host 0'), '4 MiB')
        (more, _), = add(fm, b, 0, '--size 2M')
        b.store(more, 0x99)
        equal(b.respond(0x4803, [(dpa, length)]), 0)
        equal((b.load(dpa), b.load(more)), (NOBODY, 0x99))
        at = f'{dpa - REGION:#x}+4M'
        until(fm, f'add --host 1 --extent {at}')
        other.accept()
        equal(other.load(dpa - REGION), 0)


@with_heads(0, (1, REGION))
def what_is_shared_is_seen_by_both_afterwards(d, fm, a, other):
    (dpa, _), = add(fm, a, 0, f'--region 1 --size 4M --tag {TAG}')
    a.store(dpa, 0xfeed)
    (seen, _), = add(fm, other, 1,
                     f'--policy shared --region 2 --tag {TAG}')
    path = a.path('line')
    with Head(d, 0, incoming=True) as b:
        b.monitor.command('migrate-incoming', uri='unix:' + path)
        send(a, 'unix:' + path)
        eventually('it does not run', lambda: runs(b))
        equal((b.load(dpa), other.load(seen)), (0xfeed, 0xfeed))
        b.store(dpa + 8, 0xcafe)
        equal(other.load(seen + 8), 0xcafe)
        equal(len(extents(b)), 1)


@holding(21)
def a_machine_runs_before_its_own_memory_is_there(d, fm, a, mine, dpa):
    a.qtest.write('q', 0x3000000, 22)
    path = a.path('line')
    with Head(d, 0, incoming=True) as b:
        for m in (a.monitor, b.monitor):
            try:
                capability(m, 'postcopy-ram')
            except guest_qemu.AskError as error:
                raise Skip(str(error)) from error
        a.monitor.command('migrate-set-parameters', **{'max-bandwidth': 4096})
        b.monitor.command('migrate-incoming', uri='unix:' + path)
        a.monitor.command('migrate', uri='unix:' + path)
        eventually('it does not begin', lambda: a.monitor.command(
            'query-migrate')['status'] == 'active')
        a.monitor.command('migrate-start-postcopy')
        equal(ended(a)['status'], 'completed')
        eventually('it does not run', lambda: runs(b))
        equal((b.load(dpa), b.qtest.read('q', 0x3000000)), (21, 22))
        equal(extents(b), mine)


@with_heads(0)
def events_and_offers_on_the_way_arrive(d, fm, a):
    (dpa, _), = add(fm, a, 0, '--size 4M')
    fm.text('add --host 0 --size 2M')
    stream = save(a)
    fm.text(f'release --host 0 --forced --extent {dpa:#x}+2M')
    d.restart()
    with arrive(d, stream) as b:
        found = b.events()
        equal([e.type for e in found], [0, 2])
        offer = [(found[0].extent.dpa, found[0].extent.length)]
        equal(b.respond(0x4802, offer), 0)
        equal(b.respond(0x4803, [(dpa + BLOCK, BLOCK)]), 0)
        equal(extents(b), offer)


@with_heads(0)
def a_command_that_waits_is_answered_before_the_machine_leaves(d, _, a):
    d.process.send_signal(signal.SIGSTOP)
    q = a.qtest
    q.put(BAR2 + MB_PAYLOAD, b'\x08\0')
    q.write('q', BAR2 + MB_COMMAND, 0x4800 | 2 << 16)
    q.write('l', BAR2 + MB_CONTROL, 1)
    equal(q.read('l', BAR2 + MB_CONTROL) & 1, 1)
    path = a.path('stream')
    a.monitor.command('migrate', uri='file:' + path)
    d.process.send_signal(signal.SIGCONT)
    equal(ended(a)['status'], 'completed')
    with arrive(d, path) as b:
        equal(b.qtest.read('l', BAR2 + MB_CONTROL) & 1, 0)
        equal(b.qtest.read('q', BAR2 + MB_STATUS) >> 32 & 0xffff, 0)
        equal(b.qtest.get(BAR2 + MB_PAYLOAD, 1), b'\x04')


@with_heads(0, 1, options=('--set=dc0-sanitize=off',),
            args=('-trace', 'cxl_pool_remote_*'))
def what_was_sanitized_is_zero_before_the_machine_leaves(_, fm, a, other):
    (dpa, length), = add(fm, a, 0, '--size 64M')
    for at in range(dpa, dpa + length, 8 * MIB):
        a.store(at, 3)
    equal(a.mailbox(0x4400)[0], 1)
    assert a.wipe_left()
    # none of it while the machine stands still
    a.monitor.command('migrate-set-parameters', **{'downtime-limit': 0})
    save(a)
    equal(a.wipe_left(), 0)
    before = a.words().split('cxl_pool_remote_handover')[0]
    assert before.count('bytes left before') > 1, before
    has(before, ' 0x0 bytes left before')
    fm.text(f'release --host 0 --forced --extent {dpa:#x}+64M')
    fm.text(f'add --host 1 --extent {dpa:#x}+64M')
    other.accept()
    equal({other.load(at) for at in range(dpa, dpa + length, 8 * MIB)}, {0})


@holding(5)
def a_daemon_may_be_killed_on_the_way(d, fm, a, mine, dpa):
    stream = save(a)
    b = Head(d, 0, incoming=True)
    d.restart()
    with b:
        # the first one is connected again, and does not take it back
        assert load(b, 'file:' + stream), b.words()
        equal(b.load(dpa), 5)
        equal(extents(b), mine)
        equal(a.load(dpa), NOBODY)


@holding(6)
def a_stopped_machine_is_worth_what_it_sent_last(d, fm, a, mine, dpa):
    a.monitor.command('stop')
    first = save(a, 'first')
    a.monitor.command('cont')
    a.monitor.command('stop')
    second = save(a, 'second')
    for stream, found in ((first, NOBODY), (second, 6)):
        with Head(d, 0, incoming=True) as b:
            load_stopped(b, stream)
            equal(b.load(dpa), found)


# -- it stays -----------------------------------------------------------------

def does_not_arrive(d, machine):
    """The device at the other end is another one, which shows when the head
    was handed over."""
    path = machine.path('line')
    monitor = machine.monitor

    capability(monitor, 'return-path')
    b = Head(d, 0, REGION, incoming=True)
    b.monitor.command('migrate-incoming', uri='unix:' + path)
    monitor.command('migrate', uri='unix:' + path)
    equal(ended(machine)['status'], 'failed')
    equal(b.process.wait(PATIENCE), 1)
    gone(b)
    capability(monitor, 'return-path', False)


@holding(7)
def a_machine_goes_on_when_the_other_end_has_failed(d, fm, a, mine, dpa):
    does_not_arrive(d, a)
    eventually('it does not go on', lambda: runs(a))
    equal(a.load(dpa), 7)
    equal(extents(a), mine)
    more, = add(fm, a, 0, '--size 2M')
    a.store(more[0], 17)
    # the same, and it stays stopped
    a.monitor.command('stop')
    does_not_arrive(d, a)
    stream = save(a)
    with Head(d, 0, incoming=True) as c:
        load_stopped(c, stream)
        equal((c.load(dpa), c.load(more[0])), (7, 17))


@holding(8)
def a_migration_that_is_cancelled_changes_nothing(d, fm, a, mine, dpa):
    capability(a.monitor, 'pause-before-switchover')
    a.monitor.command('migrate', uri='file:' + a.path('stream'))
    eventually('it does not pause', lambda: a.monitor.command(
        'query-migrate')['status'] == 'pre-switchover')
    a.monitor.command('migrate_cancel')
    equal(ended(a)['status'], 'cancelled')
    eventually('it does not go on', lambda: runs(a))
    equal(a.load(dpa), 8)
    add(fm, a, 0, '--size 2M')


@holding(9)
def a_machine_does_not_leave_without_the_daemon(d, fm, a, mine, dpa):
    d.kill()
    fails(a, 'file:' + a.path('none'),
          'cxl-poold, which has to hand it over|has ended the connection')
    d.start()
    equal(extents(a), mine)
    equal(a.load(dpa), 9)
    with arrive(d, save(a)) as b:
        equal(b.load(dpa), 9)


@holding(10)
def a_daemon_that_says_nothing_does_not_keep_a_machine(d, fm, a, mine, dpa):
    d.process.send_signal(signal.SIGSTOP)
    fails(a, 'file:' + a.path('none'), "'p': cxl-poold does not answer")
    d.process.send_signal(signal.SIGCONT)
    equal(extents(a), mine)
    equal(a.load(dpa), 10)


@holding(11)
def a_snapshot_is_refused(d, fm, a, mine, dpa):
    m = a.monitor
    image = {'driver': 'file', 'filename': a.path('image')}
    m.command('blockdev-create', **{'job-id': 'a', 'options': {
        'driver': 'file', 'filename': a.path('image'), 'size': 0}})
    eventually('no file', lambda: concluded(m, 'a'))
    m.command('blockdev-add', **{'node-name': 'file', **image})
    m.command('blockdev-create', **{'job-id': 'b', 'options': {
        'driver': 'qcow2', 'file': 'file', 'size': 64 * MIB}})
    eventually('no image', lambda: concluded(m, 'b'))
    m.command('blockdev-add', **{'node-name': 'image', 'driver': 'qcow2',
                                 'file': 'file'})
    pattern = 'no snapshot could put back'
    has(m.command('human-monitor-command', **{
        'command-line': 'savevm here'}), pattern)
    m.command('snapshot-save', **{'job-id': 'c', 'tag': 'there',
                                  'vmstate': 'image', 'devices': ['image']})
    eventually('no end', lambda: concluded(m, 'c'))
    has(words[-1], pattern)
    equal((a.load(dpa), runs(a)), (11, True))
    capability(m, 'background-snapshot')
    m.command('migrate', uri='file:' + a.path('none'))
    has(ended(a).get('error-desc', ''), pattern)
    add(fm, a, 0, '--size 2M')


@holding(18)
def two_machines_with_one_head_are_refused(d, fm, a, mine, dpa):
    try:
        capability(a.monitor, 'x-colo')
    except guest_qemu.AskError as error:
        raise Skip(str(error)) from error
    fails(a, 'file:' + a.path('none'), 'not in the two of x-colo')
    equal(a.load(dpa), 18)
    add(fm, a, 0, '--size 2M')


words = []


def concluded(monitor, name):
    for job in monitor.command('query-jobs'):
        if job['id'] == name and job['status'] == 'concluded':
            words.append(job.get('error', ''))
            monitor.command('job-dismiss', id=name)
            return True
    return False


# -- one at a time ------------------------------------------------------------

@holding(12)
def who_has_left_cannot_come_back(d, fm, a, mine, dpa):
    stream = save(a)
    with arrive(d, stream) as b:
        a.monitor.command('cont')
        equal((a.load(dpa), b.load(dpa)), (NOBODY, 12))
        equal(a.mailbox(0x4801, bytes(8))[0], INTERNAL_ERROR)
        has(a.words(), "'p': head 0 has lost its capacity, cxl-poold "
            'says: head 0 is that of process')
        fails(a, 'file:' + a.path('again'), 'is not attached')
        a.monitor.reset()
        equal((b.load(dpa), extents(b)), (12, mine))
    # as another machine it may have the head once that is over
    eventually('it stays', lambda: back(a))
    a.decode(1024 * MIB)
    equal(extents(a), mine)
    equal(a.load(dpa), 12)


def back(machine):
    machine.monitor.reset()
    machine.enumerate_pci()
    return machine.mailbox(0x4801, bytes(8))[0] == 0


@holding(13)
def who_goes_on_takes_the_head_back(d, fm, a, mine, dpa):
    stream = save(a)
    a.monitor.command('cont')
    equal(a.load(dpa), 13)
    with arrive(d, stream) as b:
        equal((a.load(dpa), b.load(dpa)), (13, NOBODY))
        has(b.words(), 'has lost its capacity')
    add(fm, a, 0, '--size 2M')


@with_heads()
def a_stream_is_taken_once(d, fm):
    a = Head(d, 0)
    (dpa, _), = add(fm, a, 0, '--size 4M')
    a.store(dpa, 14)
    with open(save(a), 'rb') as file:
        kept = file.read()
    stream = d.path('stream')
    with open(stream, 'wb') as file:
        file.write(kept)
    gone(a)
    with arrive(d, stream) as b, arrive(d, stream) as c:
        equal((b.load(dpa), c.load(dpa)), (14, NOBODY))
    eventually('it is still there', lambda: 'elsewhere' in refusal(
        d, stream, dpa))


def refusal(d, stream, dpa):
    with arrive(d, stream) as b:
        equal(b.load(dpa), NOBODY)
        return b.words()


# -- what else may arrive -----------------------------------------------------

def medium(d):
    """Device and inode of the memory."""
    folder = f'/proc/{d.process.pid}/fd'
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.readlink(path).startswith('/memfd:'):
            found = os.stat(path)
            return found.st_dev, found.st_ino
    raise AssertionError('no memory')


@holding(15)
def a_stream_that_makes_no_sense_is_refused(d, fm, a, mine, dpa):
    with open(save(a), 'rb') as file:
        good = file.read()
    stream = a.path('bad')
    at = good.index(b'\1' + struct.pack('>QQH', *medium(d), 4))
    first = at + 19
    for what, where, data, loads in (
            ('kind', at, b'\2', False),
            ('device', at + 1, b'\xff' * 8, False),
            ('inode', at + 9, b'\xff' * 8, False),
            ('heads', at + 17, b'\xff\xff', False),
            ('no head', at + 17, b'\0\0', False),
            ('a head that there is not', first + 24, b'x' * 16, False),
            ('name', first, b'x' * 16, True),
            ('events', first + 16, b'\xff' * 8, True)):
        with open(stream, 'wb') as file:
            file.write(good[:where] + data + good[where + len(data):])
        b = Head(d, 0, incoming=True)
        equal((what, load(b, 'file:' + stream)), (what, loads))
        if loads:
            equal(b.load(dpa), NOBODY)
            has(b.words(), 'has lost its capacity')
        gone(b)
    # nobody has taken it
    with open(stream, 'wb') as file:
        file.write(good)
    with arrive(d, stream) as b:
        equal(b.load(dpa), 15)


@case
def heads_may_be_plugged_before_the_machine_is_there():
    d, fm = pool()
    port = ('-device', 'pxb-cxl,id=cxl.1,bus=pcie.0,bus_nr=80',
            '-device', 'cxl-rp,id=rp1,bus=cxl.1,chassis=0,slot=1,port=0')
    with d, Head(d, 0, args=port) as a:
        (dpa, _), = add(fm, a, 0, '--size 4M')
        a.store(dpa, 16)
        stream = save(a)
        with Head(d, 0, args=port, incoming=True) as b:
            m = b.monitor
            m.command('device_add', driver='cxl-type3', id='mem1', bus='rp1',
                      pool='p', head=1)
            m.command('chardev-add', id='c2', backend={
                'type': 'socket', 'data': {'server': False, 'addr': {
                    'type': 'unix', 'data': {'path': d.heads}}}})
            m.command('object-add', **{'qom-type': 'cxl-pool', 'id': 'p2',
                                       'chardev': 'c2'})
            m.command('object-del', id='p2')
            assert load(b, 'file:' + stream), b.words()
            equal(b.load(dpa), 16)
            # which has attached as another machine's
            fm.text('add --host 1 --size 2M')


# -- a daemon that is slow ----------------------------------------------------

class Slow:
    """A daemon with no words of its own, which says what it is told to."""

    def __init__(self, real):
        self.pattern = Line(real)
        self.heads = real.path('slow.sock')
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.heads)
        self.listener.listen(1)
        self.listener.settimeout(PATIENCE)
        self.rest = b''

    def accept(self):
        """Somebody connects, and is welcome."""
        self.link, _ = self.listener.accept()
        self.link.settimeout(PATIENCE)
        equal(self.read()[0], HELLO)
        welcome = self.pattern.welcome
        socket.send_fds(self.link, [self.message(WELCOME, welcome)],
                        [self.pattern.fds[0]])

    @staticmethod
    def message(kind, body):
        return struct.pack('<IBBH', 8 + len(body), kind, 0, 0) + body

    def say(self, kind, body):
        self.link.sendall(self.message(kind, body))

    def read(self):
        while len(self.rest) < 8 or \
                len(self.rest) < struct.unpack('<I', self.rest[:4])[0]:
            data = self.link.recv(65536)
            assert data, 'QEMU is gone'
            self.rest += data
        length, kind = struct.unpack('<IB', self.rest[:5])
        body, self.rest = self.rest[8:length], self.rest[length:]
        return kind, body

    def wait(self, kind):
        while True:
            found, body = self.read()
            if found == kind:
                return body

    def drop(self):
        self.link.close()
        self.rest = b''


@with_heads()
def what_is_asked_while_a_head_attaches_is_sent(d, _):
    slow = Slow(d)

    def begin():
        slow.accept()
        slow.wait(ATTACH)
        slow.say(ATTACHED, bytes(8))
    thread = threading.Thread(target=begin)
    thread.start()
    with Head(slow, 0) as a:
        thread.join()
        slow.drop()
        slow.accept()
        slow.wait(ATTACH)
        q = a.qtest
        q.put(BAR2 + MB_PAYLOAD, b'\x08\0')
        q.write('q', BAR2 + MB_COMMAND, 0x4800 | 2 << 16)
        q.write('l', BAR2 + MB_CONTROL, 1)
        slow.say(ATTACHED, bytes(8))
        # behind the resets of before, which nobody has answered
        opcode = 0
        while not opcode:
            asked = slow.wait(REQUEST)
            number, opcode = struct.unpack('<QH', asked[:10])
        equal((opcode, asked[16:]), (0x4800, b'\x08\0'))
        equal(q.read('l', BAR2 + MB_CONTROL) & 1, 1)
        slow.say(ANSWER, struct.pack('<QH6x', number, 0x0d))
        a.await_doorbell()
        equal(q.read('q', BAR2 + MB_STATUS) >> 32 & 0xffff, 0x0d)
        slow.drop()
        slow.listener.close()


run()
