#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two machines with a head each of the pool of one cxl-poold, and cxl-fm.

usage: test-cxl-poold-machines.py QEMU CXL-FM CXL-POOLD SCRIPTS [CASE...]
"""

import os
import signal
import struct
import uuid

# it goes first: it finds the others by the arguments, which it changes
from poold_machine import (NOBODY, Head, add, eventually, pool, until,
                           with_heads)
import guest_qemu
from fm_cases import TAG, Skip, case, equal, has, qemu, run
from fm_machine import BAR2, ECAM, MB_CONTROL, MIB, PXB_BUS, Machine
from poold import FmLine

BLOCK = 2 * MIB
REGION = 256 * MIB
IN_USE = 0x1e


def refused(machine, pattern, name, **arguments):
    try:
        machine.monitor.command(name, **arguments)
    except guest_qemu.AskError as error:
        has(str(error), pattern)
    else:
        raise AssertionError(f'{name} is not refused')


@with_heads(0, (1, REGION))
def capacity_moves_from_one_machine_to_the_other(d, fm, a, b):
    (dpa, length), = add(fm, a, 0, '--size 4M')
    equal(length, 4 * MIB)
    equal(a.why(dpa), None)
    a.store(dpa, 0x1234)
    equal(a.load(dpa), 0x1234)
    equal(b.load(REGION + dpa), NOBODY)
    fm.refused(IN_USE, f'add --host 1 --extent {REGION + dpa:#x}+4M')
    equal(a.respond(0x4803, [(dpa, length)]), 0)
    equal(a.load(dpa), NOBODY)
    equal(a.why(dpa), 'not-accepted')
    fm.text(f'add --host 1 --extent {REGION + dpa:#x}+4M')
    equal(b.accept(), [(REGION + dpa, length)])
    equal(b.load(REGION + dpa), 0)
    b.store(REGION + dpa, 0x5678)
    equal(b.load(REGION + dpa), 0x5678)
    equal(a.load(dpa), NOBODY)
    has(fm.text('extents --host 1'), '^.*4 MiB')


@with_heads(0, (3, REGION))
def what_one_writes_under_a_tag_the_other_reads(d, fm, a, b):
    (dpa, _), = add(fm, a, 0, f'--region 1 --size 4M --tag {TAG}')
    a.store(dpa, 0xfeed)
    (seen, _), = add(fm, b, 3, f'--policy shared --region 1 --tag {TAG}')
    equal(b.load(seen), 0xfeed)
    b.store(seen + 8, 0xcafe)
    equal(a.load(dpa + 8), 0xcafe)
    equal((a.why(dpa), b.why(seen)), (None, None))


@with_heads(0, 1)
def a_read_only_view_is_one(d, fm, a, b):
    (dpa, _), = add(fm, a, 0, f'--region 1 --size 2M --tag {TAG}')
    a.store(dpa, 1)
    (seen, _), = add(fm, b, 1, f'--policy shared --region 2 --tag {TAG}')
    b.store(seen, 2)
    equal((a.load(dpa), b.load(seen)), (1, 1))


@with_heads(0, 1)
def forced_release_takes_it_at_once(d, fm, a, b):
    (dpa, _), = add(fm, a, 0, '--size 2M')
    a.store(dpa, 3)
    fm.text(f'release --host 0 --forced --extent {dpa:#x}+2M')
    until(fm, f'add --host 1 --extent {dpa:#x}+2M')
    b.accept()
    equal((a.load(dpa), b.load(dpa)), (NOBODY, 0))


@with_heads(0, 1, options=('--set=dc0-sanitize=off',),
            args=('-trace', 'cxl_pool_remote_walk'))
def what_was_sanitized_is_overwritten_before_it_is_another_hosts(_, fm, a, b):
    (dpa, length), = add(fm, a, 0, '--size 128M')
    places = range(dpa, dpa + length, 8 * MIB)
    for at in places:
        a.store(at, 3)
    # virtual time stands still: it only begins
    equal(a.mailbox(0x4400)[0], 1)
    assert a.wipe_left() >= length // 2, a.wipe_left()
    fm.text(f'release --host 0 --forced --extent {dpa:#x}+128M')
    until(fm, f'add --host 1 --extent {dpa:#x}+128M')
    b.accept()
    equal([b.load(at) for at in places], [0] * len(places))
    equal(a.wipe_left(), 0)
    # the machine went on between its slices
    slices = a.words().splitlines()
    assert len(slices) > 4, slices
    has(slices[-1], 'all 1')


@with_heads(0, 1, options=('--set=dc0-sanitize=off',))
def a_head_that_sanitizes_can_be_unplugged_and_plugged(_, fm, a, b):
    (dpa, _), = add(fm, a, 0, '--size 64M')
    a.store(dpa + 32 * MIB, 3)
    equal(a.mailbox(0x4400)[0], 1)
    a.unplug()
    until(fm, f'add --host 1 --extent {dpa:#x}+64M')
    b.accept()
    equal(b.load(dpa + 32 * MIB), 0)


@with_heads((0, REGION), 1)
def a_head_unplugged_while_the_daemon_is_away_is_gone_later(d, fm, a, b):
    (dpa, _), = add(fm, a, 0, '--size 4M')
    d.kill()
    a.unplug()
    refused(a, 'has not left yet: try again', 'device_add',
            driver='cxl-type3', id='mem0', bus='rp0', pool='p', head=0)
    # the daemon would not hear of it before the end of the process
    refused(a, 'is in use', 'object-del', id='p')
    d.start()
    until(fm, f'add --host 1 --extent {dpa - REGION:#x}+4M')
    b.accept()
    a.monitor.command('device_add', driver='cxl-type3', id='mem0',
                      bus='rp0', pool='p', head=0)
    a.unplug()
    until(fm, 'add --host 1 --size 4M')
    a.monitor.command('object-del', id='p')


@with_heads(0, 1)
def a_stopped_machine_delays_its_own_capacity_only(d, fm, a, b):
    (dpa, _), = add(fm, a, 0, '--size 2M')
    a.process.send_signal(signal.SIGSTOP)
    try:
        fm.text(f'release --host 0 --forced --extent {dpa:#x}+2M')
        fm.refused(IN_USE, f'add --host 1 --extent {dpa:#x}+2M')
        add(fm, b, 1, '--size 2M')
    finally:
        a.process.send_signal(signal.SIGCONT)
    until(fm, f'add --host 1 --extent {dpa:#x}+2M')


@with_heads(0, (1, REGION))
def machines_do_not_notice_that_the_daemon_was_killed(d, fm, a, b):
    (dpa, length), = add(fm, a, 0, '--size 4M')
    a.store(dpa, 0x77)
    (shared, _), = add(fm, b, 1, f'--region 1 --size 2M --tag {TAG}')
    b.store(shared, 0x88)
    d.kill()
    equal((a.load(dpa), b.load(shared)), (0x77, 0x88))
    a.store(dpa + 8, 0x99)
    d.start()
    equal(a.mailbox(0x4801, b'\x08\0\0\0\0\0\0\0')[1][4], 1)
    equal((a.load(dpa), a.load(dpa + 8)), (0x77, 0x99))
    until(fm, f'add --host 0 --policy shared --region 1 --tag {TAG}')
    (seen, _), = a.accept()
    equal(a.load(seen), 0x88)
    equal(a.respond(0x4803, [(dpa, length)]), 0)
    equal(a.load(dpa), NOBODY)


@case
def a_daemon_of_another_user_has_its_memory_back():
    if os.geteuid():
        raise Skip('only root can be another user')
    d, fm = pool(user=65534)
    with d, Head(d, 0) as a:
        (dpa, _), = add(fm, a, 0, '--size 4M')
        a.store(dpa, 0x77)
        d.restart()
        equal(a.mailbox(0x4801, b'\x08\0\0\0\0\0\0\0')[1][4], 1)
        equal(a.load(dpa), 0x77)
        until(fm, 'add --host 0 --size 2M')
        a.accept()
        with Head(d, 1) as b:
            fm.text(f'release --host 0 --forced --extent {dpa:#x}+4M')
            until(fm, f'add --host 1 --extent {dpa:#x}+4M')
            b.accept()
            b.store(dpa, 0x88)
            equal(b.load(dpa), 0x88)
            equal(a.load(dpa), NOBODY)


@with_heads(0)
def a_command_waits_for_the_daemon_and_not_the_machine(d, fm, a):
    d.process.send_signal(signal.SIGSTOP)
    q = a.qtest
    q.put(BAR2 + 0xa8, b'\x08\0')
    q.write('q', BAR2 + 0x90, 0x4800 | 2 << 16)
    q.write('l', BAR2 + MB_CONTROL, 1)
    equal(q.read('l', BAR2 + MB_CONTROL) & 1, 1)
    # meanwhile the monitor and the registers answer
    equal(a.monitor.command('query-status')['running'], True)
    d.process.send_signal(signal.SIGCONT)
    a.await_doorbell()
    equal(q.read('q', BAR2 + 0x98) >> 32 & 0xffff, 0)
    equal(q.get(BAR2 + 0xa8, 1), b'\x04')


@with_heads(0)
def a_daemon_that_does_not_read_does_not_keep_the_machine(d, fm, a):
    pairs = add(fm, a, 0, '--size 4M')
    d.process.send_signal(signal.SIGSTOP)
    control = (ECAM | PXB_BUS << 20) + 0x3e
    try:
        # more resets of the device than the socket takes
        for _ in range(1000):
            a.qtest.write('w', control, 0x40)
            a.qtest.write('w', control, 0)
        equal(a.monitor.command('query-status')['running'], True)
    finally:
        d.process.send_signal(signal.SIGCONT)
    a.enumerate_pci()
    code, data = a.mailbox(0x4801, struct.pack('<II', 8, 0))
    equal((code, struct.unpack('<QQ', data[16:32])), (0, pairs[0]))


@with_heads()
def a_machine_that_was_killed_finds_its_capacity_again(d, fm):
    a = Head(d, 0)
    (dpa, length), = add(fm, a, 0, '--size 4M')
    a.store(dpa, 0x55)
    add(fm, a, 0, f'--region 1 --size 2M --tag {TAG}')
    a.process.kill()
    try:
        a.__exit__()
    except RuntimeError as error:
        has(str(error), 'ended with -9')
    # the daemon has heard of it: what was shared has left the host
    eventually('it is shared', lambda: TAG[:8] not in fm.text(
        'extents --host 0'))
    with Head(d, 0) as again:
        code, data = again.mailbox(0x4801, b'\x08\0\0\0\0\0\0\0')
        equal((code, data[0]), (0, 1))
        equal(again.load(dpa), 0x55)
        has(fm.text('extents --host 0'), '4 MiB')


@with_heads(0)
def a_head_is_that_of_one_machine(d, *_):
    try:
        Head(d, 0)
    except RuntimeError as error:
        has(str(error), "property 'head' is 0 of cxl-pool 'p': head 0 is "
            'that of process')
    else:
        raise AssertionError('a head is there twice')


@with_heads(0, (1, REGION))
def the_manager_sees_links_and_static_capacity(d, _, a, __):
    line = FmLine(d)

    def heads():
        data = line.command(0x5501, b'\0\x02')[1][4:]
        sizes = struct.unpack('<4Q', line.command(0x5401, b'\0\x02')[1][4:])
        return [data[8], data[17], *sizes[::2]]

    eventually('not so', lambda: heads() == [4, 4, 0, 1])
    a.unplug()
    eventually('not so', lambda: heads() == [0, 4, 0, 1])


# What a logical device says that is not of its own run (its logs' sizes are)
SAME = ((0x0001, b''), (0x0002, b''), (0x0003, b''), (0x0400, b''),
        (0x4000, b''), (0x4100, b''), (0x4102, struct.pack('<II', 0, 64)),
        (0x4200, b''), (0x4300, struct.pack('<QQ', 0, 16)), (0x4500, b''),
        (0x4800, b'\x08\0'), (0x5600, b''), (0x5403, b''), (0x4400, b'x'))
CEL = uuid.UUID('0da9c0b5-bf41-4b78-8f79-96b1623b3f17').bytes


class Local(Machine):
    """The heads of a pool in one machine, and a manager's line to it."""

    def __init__(self):
        super().__init__(qemu, line=[
            '-nodefaults', '-m', '128M', '-M', 'q35,cxl=on',
            '-object', 'memory-backend-ram,id=medium,size=1G',
            '-object', 'memory-backend-ram,id=own,size=256M',
            '-object', 'cxl-pool,id=p,memdev=medium,heads=4,num-dc-regions=4',
            '-device', f'pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr={PXB_BUS}',
            '-device', 'cxl-rp,id=rp0,bus=cxl.0,chassis=0,slot=0,port=0',
            '-device', 'cxl-type3,id=mem0,bus=rp0,pool=p,head=1,'
            'volatile-memdev=own'])

    def link(self, number, kind):
        return [word.replace('target=mem0', 'target=p')
                for word in super().link(number, kind)]


@case
def a_tunnel_reaches_a_device_as_that_of_a_local_pool():
    d, _ = pool()
    with d, Head(d, 1, REGION) as a, Local() as local:
        fm, near = FmLine(d), FmLine(local, 'fm0')
        eventually('no answer', lambda: fm.device(1, 0x0001)[0] == 0)
        for opcode, payload in SAME:
            equal((opcode, fm.device(1, opcode, payload)),
                  (opcode, near.device(1, opcode, payload)))
        # the same commands, and heads that are not there
        cel = CEL + struct.pack('<II', 0, 4 * 16)
        equal(fm.device(1, 0x0401, cel), near.device(1, 0x0401, cel))
        for head in (0, 2, 9):
            equal(fm.device(head, 0x4000), near.device(head, 0x4000))
        # what it changes is the host's
        label = struct.pack('<II', 0, 0) + b'label'
        equal(fm.device(1, 0x4103, label), near.device(1, 0x4103, label))
        # an operation goes on in the background
        equal(fm.device(1, 0x4400), near.device(1, 0x4400))
        equal((fm.background, near.background), (True, True))
        equal(a.mailbox(0x0001)[0], 0)
        fm.close()
        near.close()


@with_heads(0)
def a_tunnel_to_a_stopped_machine_ends(d, _, a):
    fm = FmLine(d)
    eventually('no answer', lambda: fm.device(0, 0x0001)[0] == 0)
    a.monitor.command('stop')
    equal(fm.device(0, 0x0001), (2, None))
    a.monitor.command('cont')
    equal(fm.device(0, 0x0001)[0], 0)
    a.process.send_signal(signal.SIGSTOP)
    equal(fm.device(0, 0x0001), (2, None))
    a.process.send_signal(signal.SIGCONT)
    # the answer that comes now is nobody's
    equal(fm.device(0, 0x0002)[0], 0)


@with_heads(0)
def the_pool_is_managed_at_the_daemon(d, _, a):
    for path in ('p', '/machine/peripheral/mem0'):
        refused(a, "'p' is that of a cxl-poold: ask the daemon",
                'query-cxl-dynamic-capacity', path=path)


run()
