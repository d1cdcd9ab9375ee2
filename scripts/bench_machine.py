# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines whose figures scripts/bench.py takes from outside."""

import json
import os
import re
import statistics
import subprocess
import sys
import time

MIB = 1 << 20
REGION = 256 * MIB
# Machines of a kind, one after another in turn with the other kinds
TURNS = 7


def idle_line(qemu, ports, devices, dynamic):
    """A machine without a guest: root ports, devices behind some of them."""
    # shared memory does not count as memory of QEMU's own
    line = [qemu, '-accel', 'qtest', '-display', 'none', '-nodefaults', '-S',
            '-M', 'q35,cxl=on,cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=16G,'
            'memory-backend=ram', '-m', '128M',
            '-object', 'memory-backend-memfd,id=ram,size=128M',
            '-qmp', 'stdio', '-device',
            'pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=52']
    for n in range(ports):
        line += ['-device', f'cxl-rp,id=rp{n},bus=cxl.0,chassis=0,slot={n},'
                 f'port={n}']
    for n in range(devices):
        line += ['-object', f'memory-backend-memfd,id=mem{n},size={REGION}']
        props = f'cxl-type3,id=dev{n},bus=rp{n},volatile-memdev=mem{n}'
        if dynamic:
            line += ['-object',
                     f'memory-backend-memfd,id=dc{n},size={REGION}']
            props += f',volatile-dc-memdev=dc{n},num-dc-regions=1'
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
        with open(f'/proc/{process.pid}/status', encoding='ascii') as file:
            own = int(re.search(r'RssAnon:\s+(\d+) kB', file.read()).group(1))
        say('quit')
        process.stdout.read()
    return seconds, own


def idle_machines(qemu, kinds):
    """Medians of idle() for each kind: {name: (ports, devices, dynamic)}."""
    found = {name: [] for name in kinds}
    for _ in range(TURNS):
        for name, kind in kinds.items():
            found[name].append(idle(idle_line(qemu, *kind)))
    return {name: tuple(statistics.median(column) for column in zip(*rows))
            for name, rows in found.items()}


def guest(top, build, qemu, *more):
    """Figures of the guest's scenario "bench", {name: value}."""
    done = subprocess.run(
        [sys.executable, os.path.join(top, 'scripts', 'run-guest.py'),
         '--qemu', qemu, '--kernel', os.path.join(build, 'bzImage'),
         '--init', os.path.join(build, 'own/tests/guest/guest-init'),
         '--scenario', 'bench', *more],
        stdout=subprocess.PIPE, encoding='utf-8', check=False)
    found = {name: float(value) for name, value in
             re.findall(r'^# figure: (\S+) (\S+)$', done.stdout, re.M)}
    accel = re.search(r'^# scenario bench under (\w+)', done.stdout, re.M)
    found['accel'] = accel.group(1) if accel else 'unknown'
    if done.returncode:
        print('== the guest did not do all of it:', file=sys.stderr)
        print('\n'.join(done.stdout.splitlines()[-12:]), file=sys.stderr)
    return found
