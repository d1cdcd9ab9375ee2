# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine without a guest, whose device is a head of a cxl-poold's pool.

A test's arguments: QEMU CXL-FM CXL-POOLD SCRIPTS [NAME...]. With names, only
those cases run.
"""

import contextlib
import functools
import sys
import time

POOLD = sys.argv.pop(3)
sys.path.insert(0, sys.argv[3])     # in place of fm_cases's manual page

from fm_cases import Fm, case, equal, qemu  # noqa: E402
from fm_machine import (ECAM, MIB, MMIO, PATIENCE,  # noqa: E402
                        PXB_BUS, Machine)
from poold import Daemon  # noqa: E402
from qmp_monitor import Monitor  # noqa: E402

# The slot of the port, and its power (PCIe r6.2 7.5.3.10)
SLOT_CONTROL = 0x18
SLOT_OFF = 0x0700
# Component registers: the device's first decoder (CXL r3.2 8.2.4.20)
CACHEMEM = 0x1000
HDM_GLOBAL = CACHEMEM + 0x12c
HDM = CACHEMEM + 0x138
COMMIT = 1 << 9


POOL = ('--size=1G', '--regions=4', '--set=dc1-sharable=on',
        '--set=dc2-sharable=on', '--set=dc2-read-only=on')


def pool(*options, **how):
    d = Daemon(POOLD, *POOL, *options, **how)
    return d, Fm(d.fm)


def eventually(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


class Head(Machine):
    """A machine whose device is head @n, with @static bytes of its own.

    @incoming: it waits for that of another, whose hardware it finds set up"""

    def __init__(self, daemon, n, static=0, args=(), incoming=False):
        own = ['-object', f'memory-backend-ram,id=own,size={static}']
        if incoming:
            args = (*args, '-incoming', 'defer')
        super().__init__(qemu, links=(), args=args, line=[
            '-nodefaults', '-m', '128M',
            '-M', 'q35,cxl=on,cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=4G',
            *(own if static else ()),
            '-chardev', f'socket,id=c,path={daemon.heads},reconnect-ms=20',
            '-object', 'cxl-pool,id=p,chardev=c',
            '-device', f'pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr={PXB_BUS}',
            '-device', 'cxl-rp,id=rp0,bus=cxl.0,chassis=0,slot=0,port=0',
            '-device', f'cxl-type3,id=mem0,bus=rp0,pool=p,head={n}' +
            (',volatile-memdev=own' if static else '')])
        self.monitor = Monitor(self.path('qmp'))
        window = self.monitor.command('query-cxl-memory-map')[0]
        self.window = window['base']
        if not incoming:
            self.decode(static + 1024 * MIB)

    def decode(self, size):
        q = self.qtest
        q.write('l', MMIO + HDM_GLOBAL, 2)
        for at, value in ((0, self.window & 0xffffffff), (4, self.window >> 32),
                          (8, size & 0xffffffff), (12, size >> 32),
                          (16, COMMIT)):
            q.write('l', MMIO + HDM + at, value)

    def store(self, dpa, value):
        self.qtest.write('q', self.window + dpa, value)

    def load(self, dpa):
        return self.qtest.read('q', self.window + dpa)

    def unplug(self):
        """As a host that agrees: it switches the slot off."""
        q, port = self.qtest, ECAM | PXB_BUS << 20
        at = q.read('b', port + 0x34)
        while q.read('b', port + at) != 0x10:
            at = q.read('b', port + at + 1)
        self.monitor.command('device_del', id='mem0')
        q.write('w', port + at + SLOT_CONTROL, SLOT_OFF)
        eventually('it stays', lambda: 'mem0' not in [
            child['name'] for child in self.monitor.command(
                'qom-list', path='/machine/peripheral')])

    def wipe_left(self):
        return self.monitor.command('qom-get', path='/objects/p',
                                    property='wipe-left')

    def why(self, dpa):
        """None for plain RAM, else why it is trapped."""
        for window in self.monitor.command('query-cxl-memory-map'):
            for r in window['ranges']:
                if r['base'] <= self.window + dpa < r['base'] + r['size']:
                    return None if r['direct'] else r['trap']
        raise AssertionError(hex(dpa))

    def accept(self):
        """What is offered, once there is something."""
        found = []
        eventually('nothing is offered', lambda: found.extend(
            self.events()) or found)
        pairs = [(e.extent.dpa, e.extent.length) for e in found
                 if e.type == 0]
        assert pairs and not found[-1].more, found
        equal(self.respond(0x4802, pairs), 0)
        return pairs


def add(fm, machine, n, words):
    """Capacity that host @n of the pool has accepted; (dpa, length) pairs."""
    fm.text(f'add --host {n}', words)
    return machine.accept()


def with_heads(*heads, options=(), args=()):
    """A case, given a daemon, the program at its pool, and machines that are
    heads of that: their numbers, or these with bytes of their own."""
    def decorate(function):
        @case
        @functools.wraps(function)
        def wrapped():
            d, fm = pool(*options)
            with contextlib.ExitStack() as all_of_them:
                all_of_them.enter_context(d)
                function(d, fm, *(all_of_them.enter_context(
                    Head(d, *(h if isinstance(h, tuple) else (h,)),
                         args=args)) for h in heads))
        return wrapped
    return decorate


NOBODY = (1 << 64) - 1


def until(fm, *words):
    """What leaves a host is held until that host's machine has said so."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return fm.text(*words)
        except AssertionError:
            if time.monotonic() > end:
                raise
