#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The machines of shapes.toml start, are reset, answer, and boot.

usage: lines.py list
       lines.py start QEMU SCRIPTS         each without a guest, TAP
       lines.py boot SHAPE QEMU SCRIPTS RUN-GUEST-OPTION...
                                           one to `cxl list` in the test guest
"""

import collections
import importlib
import json
import os
import re
import shlex
import sys
import tempfile
import time
import tomllib

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tools'))

import cases  # noqa: E402  pylint: disable=wrong-import-position

# Seconds for what takes none on an idle machine
PATIENCE = 60

Shape = collections.namedtuple('Shape', 'name line needs')


def shapes():
    with open(os.path.join(HERE, 'shapes.toml'), 'rb') as file:
        for row in tomllib.load(file)['shape']:
            yield Shape(row['name'], row['line'], row.get('needs', []))


def words(shape, folder):
    return shlex.split(shape.line.replace('FOLDER', folder))


def devices(line):
    """Driver and id of each -device."""
    for option, value in zip(line, line[1:]):
        if option != '-device':
            continue
        if value[0] == '{':
            value = json.loads(value)
        else:
            driver, *rest = value.split(',')
            value = {'driver': driver, **dict(p.split('=') for p in rest)}
        yield value['driver'], value.get('id'), 'num-dc-regions' in value


class Probe:
    """What this QEMU and this machine have."""

    def __init__(self, qemu, scripts):
        sys.path.insert(0, scripts)
        self.qemu = qemu
        self.monitor = importlib.import_module('qmp_monitor').Monitor
        self.guest_qemu = importlib.import_module('guest_qemu')
        with tempfile.TemporaryDirectory(prefix='cxl-lines-') as folder:
            machine, monitor = self.start(['-M', 'none'], folder)
            self.has = {row['name'] for what in
                        ('qom-list-types', 'query-commands')
                        for row in monitor.command(what)}
            self.end(machine, monitor)

    def lacks(self, shape):
        return [what for what in shape.needs
                if not (os.path.exists(what) or what in self.has)]

    def start(self, line, folder):
        machine = self.guest_qemu.Machine([self.qemu, *line], folder)
        machine.start('-display', 'none')
        end = time.monotonic() + PATIENCE
        while not self.runs(machine):
            if machine.process.poll() is not None or time.monotonic() > end:
                raise AssertionError('does not start: ' +
                                     ' '.join(machine.words()))
            time.sleep(0.02)
        return machine, self.monitor(machine.socket)

    def runs(self, machine):
        """It may end while it is asked."""
        try:
            return machine.runs()
        except (OSError, self.guest_qemu.AskError):
            return False

    def end(self, machine, monitor):
        monitor.command('quit')
        monitor.close()
        code = machine.process.wait(PATIENCE)
        said = machine.words()
        if code or said:
            raise AssertionError(f'ends with {code} and says: ' +
                                 '\n'.join(said))


def answers(monitor, line):
    """Every device is there and the commands of CXL tell of it."""
    there = {row['name'] for row in
             monitor.command('qom-list', path='/machine/peripheral')}
    wanted = {name for _, name, _ in devices(line) if name}
    if not wanted or wanted - there:
        raise AssertionError(f'{wanted - there} of {wanted} are missing')
    windows = len(monitor.command('query-cxl-memory-map'))
    if windows != count_windows(line):
        raise AssertionError(f'{windows} windows')
    for driver, name, dynamic in devices(line):
        if driver == 'cxl-type3' and dynamic:
            monitor.command('query-cxl-dynamic-capacity', path=name)


def count_windows(line):
    return len(set(re.findall(r'cxl-fmw\.(\d+)\.', ' '.join(line))))


def start(probe, shape):
    with tempfile.TemporaryDirectory(prefix='cxl-lines-') as folder:
        line = words(shape, folder)
        machine, monitor = probe.start(line, folder)
        try:
            answers(monitor, line)
            monitor.reset()
            answers(monitor, line)
            probe.end(machine, monitor)
        finally:
            machine.stop()


def start_or_skip(probe, shape):
    lacks = probe.lacks(shape)
    if lacks:
        raise cases.Skip(f'there is no {", ".join(lacks)}')
    start(probe, shape)


def start_all(probe):
    for shape in shapes():
        cases.named(shape.name, start_or_skip, probe, shape)
    return cases.run()


def boot(probe, shape, options):
    lacks = probe.lacks(shape)
    if lacks:
        print(f'1..0 # SKIP there is no {", ".join(lacks)}')
        return 0
    with tempfile.TemporaryDirectory(prefix='cxl-lines-') as folder:
        line = words(shape, folder)
        memdevs = sum(row[0] == 'cxl-type3' for row in devices(line))
        guest = f'cxlmemdevs={memdevs} cxlwindows={count_windows(line)}'
        share = re.search(r'mount_tag=(\w+)', shape.line)
        if share:
            with open(os.path.join(folder, 'hello'), 'w', encoding='ascii'):
                pass
            guest += f' cxlshare={share.group(1)}'
        return importlib.import_module('run-guest').main(
            ['--qemu', probe.qemu, '--scenario', 'lines',
             '--machine', shlex.join(line), '--append', guest, *options])


def main():
    what, *rest = sys.argv[1:]
    if what == 'list':
        print('\n'.join(shape.name for shape in shapes()))
        return 0
    if what == 'start':
        return start_all(Probe(*rest))
    shape = {row.name: row for row in shapes()}[rest[0]]
    return boot(Probe(*rest[1:3]), shape, rest[3:])


if __name__ == '__main__':
    sys.exit(main())
