# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon of a pool, beside heads that speak its protocol."""

import os
import statistics
import struct
import sys
import time

from bench_guest import POOLD
from bench_table import own_memory, rate, time_of

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'tests', 'tools'))

from poold import Daemon, FmLine, Host, Line  # noqa: E402

BLOCK = 2 << 20
HEADS = (1, 4, 16)
TURNS = 200
COMMANDS = 2000
# Extents of all hosts, every second block, as many as one command offers
HOSTS, BATCH = 16, 49
EXTENTS = int(os.environ.get('EXTENTS', '1000000')) // HOSTS // BATCH * BATCH
SMALL = 64
PRESCRIPTIVE = 2


def now():
    return time.monotonic_ns()


class Pool:
    """A daemon, its heads, and a Fabric Manager."""

    def __init__(self, program, heads, *options):
        self.daemon = Daemon(program, f'--heads={heads}', *options)
        self.hosts = [Host(Line(self.daemon), n) for n in range(heads)]
        self.fm = FmLine(self.daemon)

    def memory(self):
        """KiB of the daemon's own."""
        return own_memory(self.daemon.process.pid)

    def close(self):
        for host in self.hosts:
            host.line.close()
        self.fm.close()


def usable(pool):
    """From an order until the host may access the memory."""
    host, times = pool.hosts[0], []
    for _ in range(TURNS):
        start = now()
        assert pool.fm.add(0, 0, 0, BLOCK) == 0
        (dpa, length), = host.accept()
        while dpa not in host.view:
            host.take()
        times.append(now() - start)
        host.release((dpa, length))
        host.sync()
    return statistics.median(times)


def each(command):
    start = now()
    for _ in range(COMMANDS):
        command()
    return (now() - start) / COMMANDS


def fill(pool):
    """All extents, to one host after the other."""
    at = 0
    for host in pool.hosts:
        for _ in range(EXTENTS // BATCH):
            order = struct.pack('<HBBQ16sI', host.head, PRESCRIPTIVE, 0, 0,
                                bytes(16), BATCH)
            for _ in range(BATCH):
                order += struct.pack('<QQ16sHHI', at, SMALL, bytes(16), 0, 0,
                                     0)
                at += 2 * SMALL
            code, _ = pool.fm.command(0x5604, order)
            assert code == 0, code
            host.accept()


def many(program, table):
    size = 1 << (2 * SMALL * EXTENTS * HOSTS - 1).bit_length()
    pool = Pool(program, HOSTS, f'--size={max(size, 256 << 20)}',
                f'--set=dc0-block-size={SMALL}',
                f'--set=dc-extents-max={EXTENTS + 2 * BATCH}')
    with pool.daemon:
        start = now()
        fill(pool)
        took, memory = now() - start, pool.memory()
        start = now()
        pool.daemon.restart()
        Line(pool.daemon).close()
        began = now() - start
        count = EXTENTS * HOSTS
        table.section(f'{count:,} extents over {HOSTS} hosts')
        table.add('offered and accepted, each', None, '',
                  rate(took / count))
        table.add('memory of the daemon', None, '',
                  f'{memory:,} KiB, {memory * 1024 / count:.0f} bytes an '
                  'extent')
        table.add('a killed daemon takes heads again', None, '',
                  time_of(began))
        pool.close()


def pools(options, table):
    print('== pools', file=sys.stderr)
    program = os.path.join(options.build, POOLD)
    memory = {}
    table.section('Pool: from 5604h until the host may access the memory')
    for heads in HEADS:
        pool = Pool(program, heads)
        with pool.daemon:
            memory[heads] = pool.memory()
            table.add(f'{heads} heads', None, '', time_of(usable(pool)))
            if heads == HEADS[-1]:
                fm = each(lambda: pool.fm.command(0x5600))
                host = each(lambda: pool.hosts[0].command(0x4801,
                                                          bytes(8)))
            pool.close()
    table.section('Pool: commands, and memory of the daemon')
    table.add('5600h, from the FM', None, '', rate(fm))
    table.add('4801h, from a host', None, '', rate(host))
    table.add('memory per head', None, '',
              f'{(memory[HEADS[-1]] - memory[1]) / (HEADS[-1] - 1):,.0f} KiB, '
              f'{memory[1]:,} KiB with one')
    many(program, table)
