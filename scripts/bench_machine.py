# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines without a guest: their own memory, and how soon they answer."""

import json
import statistics
import subprocess
import sys
import time

from bench_table import own_memory

MIB = 1 << 20
REGION = 256 * MIB
# Machines of a kind, one after another in turn with the other kinds
TURNS = 7
PORTS = 16

# Devices, with dynamic capacity?
KINDS = {'none': (0, False), 'one': (1, False), 'many': (16, False),
         'dynamic': (16, True)}
WORDS = {'one': 'one device', 'many': '16 devices',
         'dynamic': '16 devices with a DC region'}


def idle_line(qemu, devices, dynamic, plugged):
    """A machine without a guest: root ports, devices behind some of them, or
    only the memory backends that these would have."""
    # shared memory does not count as memory of QEMU's own
    line = [qemu, '-accel', 'qtest', '-display', 'none', '-nodefaults', '-S',
            '-M', 'q35,cxl=on,cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=16G,'
            'memory-backend=ram', '-m', '128M',
            '-object', 'memory-backend-memfd,id=ram,size=128M',
            '-qmp', 'stdio', '-device',
            'pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=52']
    for n in range(PORTS):
        line += ['-device', f'cxl-rp,id=rp{n},bus=cxl.0,chassis=0,slot={n},'
                 f'port={n}']
    for n in range(devices):
        line += ['-object', f'memory-backend-memfd,id=mem{n},size={REGION}']
        props = f'cxl-type3,id=dev{n},bus=rp{n},volatile-memdev=mem{n}'
        if dynamic:
            line += ['-object',
                     f'memory-backend-memfd,id=dc{n},size={REGION}']
            props += f',volatile-dc-memdev=dc{n},num-dc-regions=1'
        if plugged:
            line += ['-device', props]
    return line


def idle(line):
    """Seconds until QEMU does what it is told, KiB of its own memory then."""
    start = time.monotonic()
    with subprocess.Popen(line, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:

        def say(what):
            process.stdin.write(json.dumps({'execute': what}).encode() +
                                b'\n')
            process.stdin.flush()

        # the greeting comes from a thread, long before there is a machine
        for what in ('qmp_capabilities', 'query-status'):
            say(what)
        answers = [process.stdout.readline() for _ in range(3)]
        if b'prelaunch' not in answers[2]:
            raise RuntimeError('QEMU does not start')
        seconds = time.monotonic() - start
        own = own_memory(process.pid)
        say('quit')
        process.stdout.read()
    return seconds, own


def idle_machines(qemus):
    """Medians of idle(): {(which QEMU, kind, with devices?): ...}."""
    found = {}
    for _ in range(TURNS):
        for kind, devices in KINDS.items():
            for which, qemu in qemus.items():
                for plugged in (False, True):
                    found.setdefault((which, kind, plugged), []).append(
                        idle(idle_line(qemu, *devices, plugged)))
    return {name: tuple(statistics.median(column) for column in zip(*rows))
            for name, rows in found.items()}


def machines(options, table):
    print('== machines without a guest', file=sys.stderr)
    qemus = {'': options.qemu}
    if options.base:
        qemus[', unmodified base'] = options.base
    found = idle_machines(qemus)
    table.section('Memory per idle cxl-type3 beyond its backends (16 root '
                  'ports always)')
    for which in qemus:
        for kind, words in WORDS.items():
            own = found[which, kind, True][1]
            each = (own - found[which, kind, False][1]) / KINDS[kind][0]
            table.add(words + which, each / 256, 'each : 256 KiB',
                      f'{each:,.0f} KiB each, machine {own:,.0f} KiB')
    table.section('Time until QEMU answers')
    for which in qemus:
        none = found[which, 'none', True][0]
        table.add('no device' + which, None, '', f'{none * 1e3:.0f} ms')
        for kind, words in WORDS.items():
            seconds = found[which, kind, True][0]
            table.add(words + which, seconds / none, 'this : no device',
                      f'{seconds * 1e3:.0f} ms')
