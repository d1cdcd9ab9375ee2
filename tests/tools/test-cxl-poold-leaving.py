#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Capacity that leaves a host of cxl-poold: whose it is until its access has
ended and it is overwritten.

usage: test-cxl-poold-leaving.py CXL-POOLD CXL-FM SLOW-MEDIUM [CASE...]
"""

import os
import signal
import struct
import sys
import tempfile

SLOW_MEDIUM = sys.argv.pop(3)

# it goes first: fm_cases goes by the arguments as it leaves them
from poold_cases import (BLOCK, IN_USE, MIB, POOL, POOLD,  # noqa: E402
                         attached, give, in_another_process, on_pool,
                         when_possible)
from fm_cases import TAG, Fm, case, equal, has, run  # noqa: E402
from poold import Daemon, FmLine, Host, Line  # noqa: E402


@on_pool()
def what_leaves_is_nobodys_until_its_access_ended(d, fm):
    a, b = Host(Line(d), 0, acks=False), Host(Line(d), 1)
    a.pay()
    a.acks = False
    (dpa, length), = give(fm, a, 0)
    a.write(dpa, b'old')
    fm.text(f'release --host 0 --forced --extent {dpa:#x}+2M')
    # it is the host's no more, but was not said to have ended
    fm.refused(IN_USE, f'add --host 1 --extent {dpa:#x}+2M')
    a.sync()
    equal(a.list(), [])
    equal(len(a.owed), 1)
    equal(bytes(a.line.memory[dpa:dpa + 3]), b'old')
    fm.refused(IN_USE, f'add --host 1 --extent {dpa:#x}+2M')
    # others are not held up
    give(fm, b, 1)
    a.pay()
    a.sync()
    fm.text(f'add --host 1 --extent {dpa:#x}+2M')
    b.accept()
    equal(b.read(dpa, 3), bytes(3))


@on_pool()
def a_fence_holds_over_the_end_of_the_daemon(d, fm):
    a, b = Host(Line(d), 0), Host(Line(d), 1)
    a.acks = False
    (dpa, length), = give(fm, a, 0)
    a.write(dpa, b'old')
    fm.text(f'release --host 0 --forced --extent {dpa:#x}+2M')
    d.restart()
    b.move(Line(d))
    fm.refused(IN_USE, f'add --host 1 --extent {dpa:#x}+2M')
    # whoever is there again says that it reaches nothing else
    a.acks = True
    a.move(Line(d))
    equal(a.view, {})
    a.sync()
    fm.text(f'add --host 1 --extent {dpa:#x}+2M')
    b.accept()
    equal(b.read(dpa, 3), bytes(3))


def leaving(fm, host):
    return [(x['dpa'], x['length'])
            for x in fm.json('map', '--host', host)['leaving']]


@on_pool()
def the_manager_sees_what_is_leaving(d, fm):
    a, b = Host(Line(d), 0, base=256 * MIB), Host(Line(d), 1)
    equal(leaving(fm, 0), [])
    (dpa, length), = give(fm, a, 0, '6M')
    equal(leaving(fm, 0), [])
    a.sync()
    a.acks = False
    fm.text(f'release --host 0 --forced --extent {dpa + BLOCK:#x}+2M')
    a.release((dpa, BLOCK))
    gone = [(dpa + BLOCK, BLOCK), (dpa, BLOCK)]
    equal(leaving(fm, 0), gone)
    equal(leaving(fm, 1), [])
    has(fm.text('hosts'),
        '^host 0: 2 MiB in 1 extent [(]2 MiB of region 0[)], 4 MiB leave$',
        '^host 1: nothing$')
    has(fm.text('map --host 0'),
        f'^ ~ 2 MiB at {dpa:#x} leave: the host may still reach them$')
    # whoever is refused it can tell by whom
    fm.refused(IN_USE, f'add --host 1 --extent {dpa - a.base:#x}+2M')
    d.restart()
    equal(leaving(fm, 0), gone)
    a.acks = True
    a.move(Line(d))
    a.sync()
    equal(leaving(fm, 0), [])
    assert '~' not in fm.text('map', '--host', 0)
    b.move(Line(d))
    fm.text(f'add --host 1 --extent {dpa - a.base:#x}+2M')


LEAVING = bytes.fromhex('6a5aa14d4ec24a948a75c545bd61bee5')


@on_pool()
def the_log_of_what_is_leaving_is_read_in_pieces(d, fm):
    line = FmLine(d)

    def log(at, length):
        return line.command(0x0401, LEAVING + struct.pack('<II', at, length))
    equal(log(0, 8), (0, bytes(8)))
    a = Host(Line(d), 3, base=256 * MIB)
    (dpa, _), = give(fm, a, 3, '8M')
    a.sync()
    a.acks = False
    for at in (0, 4 * MIB):
        a.release((dpa + at, BLOCK))
    whole = struct.pack('<II', 2, 0)
    for at in (0, 4 * MIB):
        whole += struct.pack('<H6xQQ', 3, dpa + at, BLOCK)
    equal(log(0, len(whole)), (0, whole))
    for at in range(len(whole)):
        for length in (1, 7, 24, 31):
            if at + length <= len(whole):
                equal(log(at, length), (0, whole[at:at + length]))
    equal(log(len(whole), 0), (0, b''))
    equal(log(0, len(whole) + 1)[0], 2)
    equal(log(len(whole) + 1, 0)[0], 2)


class Slow(Daemon):
    """It overwrites by writing, and cannot while the file "held" is there; nor
    can it bring that to the disk while "disk" is."""

    def start(self):
        os.environ.update(LD_PRELOAD=SLOW_MEDIUM,
                          SLOW_MEDIUM=self.path('held'),
                          SLOW_DISK=self.path('disk'))
        try:
            super().start()
        finally:
            del os.environ['LD_PRELOAD']

    def hold(self, what='held'):
        with open(self.path(what), 'w', encoding='utf-8'):
            pass

    def let_go(self, what='held'):
        os.unlink(self.path(what))


@case
def what_is_not_overwritten_yet_is_leaving_and_nobody_waits():
    with tempfile.TemporaryDirectory() as folder:
        d = Slow(POOLD, *POOL, f'--file={folder}/medium')
        fm = Fm(d.fm)
        with d:
            line = Line(d)
            a, b = Host(line, 0), Host(Line(d), 1, base=256 * MIB)
            (dpa, length), = give(fm, a, 0, '64M')
            places = range(dpa, dpa + length, 8 * MIB)
            for at in places:
                a.write(at, b'old')
            d.hold()
            a.release((dpa, length))
            equal(leaving(fm, 0), [(dpa, length)])
            has(fm.text('map --host 0'),
                f'^ ~ 64 MiB at {dpa:#x} leave: they are being overwritten$')
            to_other = f'add --host 1 --extent {b.base + dpa:#x}+64M'
            fm.refused(IN_USE, to_other)
            a.sync()
            give(fm, b, 1)
            # nor is it forgotten
            d.restart()
            equal(leaving(fm, 0), [(dpa, length)])
            a.move(Line(d))
            b.move(Line(d))
            fm.refused(IN_USE, to_other)
            equal([bytes(line.memory[at:at + 3]) for at in places],
                  [b'old'] * len(places))
            d.let_go()
            when_possible(fm, to_other)
            equal(leaving(fm, 0), [])
            b.accept()
            equal([b.read(b.base + at, 3) for at in places],
                  [bytes(3)] * len(places))


@case
def what_is_not_on_the_disk_is_given_to_nobody():
    """The database would be ahead of it behind a loss of power."""
    with tempfile.TemporaryDirectory() as folder:
        d = Slow(POOLD, *POOL, f'--file={folder}/medium')
        fm = Fm(d.fm)
        with d:
            a, b = Host(Line(d), 0), Host(Line(d), 1, base=256 * MIB)
            mine = [give(fm, a, 0, size)[0] for size in ('2M', '4M')]
            d.hold('disk')
            for extent in mine:
                a.release(extent)
            at = f'add --host 1 --extent {b.base + mine[0][0]:#x}+2M'
            for again in (d.restart, lambda: None):
                equal(leaving(fm, 0), mine)
                fm.refused(IN_USE, at)
                again()
            b.move(Line(d))
            d.let_go('disk')
            when_possible(fm, at)
            while leaving(fm, 0):
                pass
            # memory needs none of that
    d = Slow(POOLD, *POOL)
    fm = Fm(d.fm)
    with d:
        a = Host(Line(d), 0)
        extent, = give(fm, a, 0, '2M')
        d.hold('disk')
        a.release(extent)
        while leaving(fm, 0):
            pass


@case
def what_is_freed_by_a_reference_is_overwritten_as_well():
    d = Slow(POOLD, *POOL)
    fm = Fm(d.fm)
    with d:
        a = Host(Line(d), 1, base=256 * MIB)
        (dpa, _), = give(fm, a, 1, '2M', '--region', 1, '--tag', TAG)
        a.write(dpa, b'old')
        fm.text(f'reference add {TAG}')
        a.release((dpa, BLOCK))
        d.hold()
        fm.text(f'reference remove {TAG}')
        equal(leaving(fm, 0), [(dpa - a.base, BLOCK)])
        d.let_go()
        while leaving(fm, 0):
            pass
        equal(bytes(a.line.memory[dpa - a.base:][:3]), bytes(3))


@on_pool()
def the_end_of_a_process_ends_its_access(d, fm):
    b = Host(Line(d), 1)
    process, tell = in_another_process(d)
    fm.text('add --host 0 --size 2M')
    (dpa, length), = tell('accept')
    tell('write', dpa, b'left')
    tell('silent')
    fm.text(f'release --host 0 --forced --extent {dpa:#x}+2M')
    os.kill(process.pid, signal.SIGSTOP)
    fm.refused(IN_USE, f'add --host 1 --extent {dpa:#x}+2M')
    give(fm, b, 1)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    when_possible(fm, f'add --host 1 --extent {dpa:#x}+2M')
    b.accept()
    equal(b.read(dpa, 4), bytes(4))


@on_pool()
def a_host_that_was_killed_finds_its_capacity_again(d, fm):
    process, tell = in_another_process(d)
    fm.text('add --host 0 --size 4M')
    (dpa, length), = tell('accept')
    tell('write', dpa, b'kept')
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    a = attached(d, 0, meanwhile='head 0 is that of process')
    equal(a.list(), [(dpa, length)])
    equal(a.read(dpa, 4), b'kept')


run()
