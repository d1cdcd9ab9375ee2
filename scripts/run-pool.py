#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two Linux guests in two QEMUs, one pool, one Fabric Manager.

cxl-poold has the memory, cxl-fm gives it to the guests (scenario "host" of the
test guest): capacity moves from one to the other, and what one writes under a
shared tag the other reads.  With --migrate one of the machines moves into
another QEMU while its guest works in the pool's memory; with --weigh there is
one machine, which measures that.  Reports as TAP, or with --story to a person.

Exit status: 0 all went well, 1 something did not, 2 something is missing.
"""

import argparse
import importlib
import os
import queue
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time

import guest_qemu

guest = importlib.import_module('run-guest')

OK, FAILED, MISSING = range(3)
# Seconds for a guest to boot, and for what it is told
LIMIT = 400
MIB = 1 << 20
REGION = 256 * MIB
LENT = '5be13bce-ae34-4a77-b6c3-16df975fcf1a'
SHARED = 'c0ffee00-cafe-4000-8000-000000000002'

# Title, then who does what: FM commands, lines for a host, and which machine
# goes to another QEMU
STORY = [
    ('One pool, two machines', [
        ('fm', 'info')]),
    ('All of region 0 goes to host 0', [
        ('fm', f'add --host 0 --size 256M --tag {LENT} --wait 60'),
        (0, 'zeroes 0'),
        (0, 'fill 0 1'),
        (0, 'check 0 1'),
        (1, 'none 0'),
        ('fm', 'hosts')]),
    ('It moves to host 1, without what host 0 wrote', [
        ('fm', f'release --host 0 --tag {LENT} --wait 60'),
        (0, 'none 0'),
        ('fm again', f'add --host 1 --size 256M --tag {LENT} --wait 60'),
        (1, 'zeroes 0'),
        (1, 'fill 0 2'),
        (1, 'check 0 2'),
        ('fm', 'map --host 1')]),
    ('32 MiB with a tag are for both', [
        ('fm', f'add --host 0 --region 1 --size 32M --tag {SHARED} --wait 60'),
        ('fm', f'add --host 1 --region 1 --policy shared --tag {SHARED} '
         '--wait 60'),
        (0, 'fill 1 3'),
        (1, 'check 1 3'),
        (1, 'fill 1 4'),
        (0, 'check 1 4'),
        ('fm', 'tags')]),
    ('Host 0 gives its share back, host 1 still has it', [
        ('fm', f'release --host 0 --tag {SHARED} --wait 60'),
        (0, 'none 1'),
        (1, 'check 1 4')]),
]
MIGRATION = [
    ('Host 0 has memory of its own, and some that host 1 has, too', [
        ('fm', f'add --host 0 --size 128M --tag {LENT} --wait 60'),
        ('fm', f'add --host 0 --region 1 --size 32M --tag {SHARED} --wait 60'),
        ('fm', f'add --host 1 --region 1 --policy shared --tag {SHARED} '
         '--wait 60'),
        (0, 'fill 1 1'),
        (1, 'check 1 1')]),
    ('It works in it while its machine goes to another QEMU', [
        (0, 'keep 0'),
        ('migrate', 0),
        (0, 'kept'),
        (0, 'check 1 1')]),
    ('What is shared is so there as well', [
        (0, 'fill 1 2'),
        (1, 'check 1 2'),
        (1, 'fill 1 3'),
        (0, 'check 1 3'),
        ('fm', 'hosts')]),
    ('What host 0 gives back there is for host 1, without contents', [
        ('fm', f'release --host 0 --tag {LENT} --wait 60'),
        (0, 'none 0'),
        ('fm again', f'add --host 1 --size 128M --tag {LENT} --wait 60'),
        (1, 'zeroes 0'),
        (1, 'fill 0 4'),
        (1, 'check 0 4')]),
    ('Host 0 gets more there', [
        ('fm', 'add --host 0 --size 64M --wait 60'),
        (0, 'zeroes 0'),
        (0, 'fill 0 5'),
        (0, 'check 0 5'),
        (1, 'check 0 4')]),
    ('Its machine goes on to a third QEMU, host 1 to another one', [
        (0, 'keep 0'),
        ('migrate', 0),
        ('migrate', 1),
        (0, 'kept'),
        (1, 'check 0 4'),
        (0, 'check 1 3'),
        (1, 'check 1 3')]),
]


WEIGHING = [
    ('What memory of the pool costs host 0', [
        ('fm', 'add --host 0 --size 32M --wait 60'),
        (0, 'weigh 0')]),
]
# What is played, and by how many machines
PLAYS = {None: (STORY, 2), 'migrate': (MIGRATION, 2), 'weigh': (WEIGHING, 1)}


class Report:
    """Lines of all of them, as TAP or for a person."""

    def __init__(self, story):
        self.story = story
        self.tests = 0
        self.failed = 0
        self.lock = threading.Lock()

    def test(self, good, name):
        with self.lock:
            self.tests += 1
            self.failed += not good
            if not self.story or not good:
                print(f'{"" if good else "not "}ok {self.tests} - {name}',
                      flush=True)

    def say(self, who, text):
        with self.lock:
            print(f'{who:>7} | {text}' if self.story else f'# {who}: {text}',
                  flush=True)

    def title(self, text):
        with self.lock:
            print(f'\n== {text}' if self.story else f'# {text}', flush=True)


class Host:
    """A machine with a guest that does what it is told."""

    def __init__(self, number, line, folder, report):
        self.name = f'host {number}'
        self.report = report
        self.done = queue.Queue()
        self.line = line
        self.folder = folder
        self.moves = 0
        os.mkdir(folder)
        self.machine = guest_qemu.Machine(line, folder)
        self.machine.start()
        self.ears = self.open_ears()

    def open_ears(self):
        ears = threading.Thread(target=self.listen, args=(self.machine,),
                                daemon=True)
        ears.start()
        return ears

    def listen(self, machine):
        for data in machine.process.stdout:
            self.take(data.decode(errors='replace').rstrip())
        if machine is self.machine:
            self.done.put('')

    def migrate(self):
        """What was the machine ends; all that its guest said is heard."""
        self.report.say(self.name, 'goes to another QEMU')
        end = time.monotonic() + guest_qemu.MIGRATE_LIMIT
        self.moves += 1
        folder = f'{self.folder}-{self.moves}'
        os.mkdir(folder)
        old, self.machine = self.machine, guest_qemu.Machine(self.line, folder)
        try:
            self.machine.start('-incoming', 'defer')
            self.machine.expect(f'unix:{folder}/line', end)
            # the guest writes to its memory all the time
            old.command('migrate-set-parameters', **{'downtime-limit': 5000})
            old.send(f'unix:{folder}/line', end)
            self.machine.arrive(end)
            old.command('quit')
            good = old.process.wait(guest_qemu.END_LIMIT) == 0
        finally:
            old.stop()
            self.ears.join()
            for text in old.words():
                self.report.say(self.name, 'qemu: ' + text)
        self.ears = self.open_ears()
        self.report.test(good, f'{self.name}: it runs in another QEMU')

    def take(self, line):
        match = re.match(r'(not )?ok \d+(?: - | )?(.*)', line)
        if match:
            self.report.test(not match.group(1), f'{self.name}: '
                             f'{match.group(2)}')
        elif line in ('# host is ready', '# done'):
            self.done.put(line)
        elif line and not re.match(r'(1\.\.\d+|TAP version .*)$', line):
            self.report.say(self.name, line)

    def wait(self, what):
        try:
            said = self.done.get(timeout=LIMIT)
        except queue.Empty:
            said = ''
        if said != what:
            raise RuntimeError(f'{self.name} does not go on')

    def tell(self, words):
        self.report.say(self.name, '> ' + words)
        self.machine.tell(words)
        self.wait('# done')

    def end(self):
        self.machine.tell('end')
        self.wait('')
        if self.machine.process.wait(60):
            raise RuntimeError(f'{self.name} ended badly')

    def stop(self):
        if self.machine.process.poll() is None:
            self.machine.stop()
        for text in self.machine.words():
            self.report.say(self.name, 'qemu: ' + text)


class Manager:
    """cxl-fm at the daemon's socket."""

    def __init__(self, program, url, report):
        self.line = [program, '--connect', url]
        self.report = report

    def run(self, words):
        done = subprocess.run(self.line + words.split(), check=False,
                              stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.splitlines()

    def step(self, words, again):
        """@again: what leaves a host is free when its machine has let go."""
        self.report.say('FM', '$ cxl-fm ' + words)
        code, out = self.run(words)
        for _ in range(600 if again else 0):
            if code == 0:
                break
            code, out = self.run(words)
        for text in out:
            self.report.say('FM', text)
        self.report.test(code == 0, 'FM: ' + words)
        if code:
            raise RuntimeError(f'cxl-fm ends with {code}')


def machine_line(args, number, accel, initramfs, folder):
    """A machine whose only CXL device is head @number."""
    words = [
        '-M', 'q35,cxl=on,cxl-fmw.0.targets.0=hb0,cxl-fmw.0.size=4G',
        '-cpu', guest.CPU, '-m', '512M,maxmem=4G,slots=2', '-smp', '1',
        '-chardev', f'socket,id=pool,path={folder}/pool/heads.sock,'
        'reconnect-ms=500',
        '-object', 'cxl-pool,id=pool0,chardev=pool',
        '-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=hb0',
        '-device', 'cxl-rp,port=0,bus=hb0,id=rp0,chassis=0,slot=2',
        '-device', f'cxl-type3,bus=rp0,id=mem0,pool=pool0,head={number},'
        f'sn={0xc0de0000 + number}']
    options = guest.parse([
        '--qemu', args.qemu, '--kernel', args.kernel, '--init', args.init,
        '--scenario', 'host', f'--machine={shlex.join(words)}'])
    options.fm_socket = None
    return guest.command_line(options, accel, initramfs,
                              f'{folder}/console{number}')


def begins(console):
    """Does a guest say something as soon as one under KVM does?"""
    end = time.monotonic() + guest.FIRST_SIGN
    while time.monotonic() < end:
        if os.path.exists(console) and os.path.getsize(console):
            return True
        time.sleep(0.1)
    return False


def start(args, count, initramfs, folder, report):
    """All machines; again without KVM, if that is there and no use."""
    accel = args.accel
    if accel == 'auto':
        accel = 'kvm' if guest.kvm_works(args.qemu) else 'tcg'
    while True:
        hosts = [Host(n, machine_line(args, n, accel, initramfs, folder),
                      os.path.join(folder, f'{accel}{n}'), report)
                 for n in range(count)]
        if args.accel != 'auto' or accel == 'tcg' or \
                begins(f'{folder}/console0'):
            return hosts
        for host in hosts:
            host.machine.stop()
        guest.give_up_kvm()
        accel = 'tcg'


def play(story, hosts, manager, report):
    for host in hosts:
        host.wait('# host is ready')
    for title, steps in story:
        report.title(title)
        for who, words in steps:
            if isinstance(who, int):
                hosts[who].tell(words)
            elif who == 'migrate':
                hosts[words].migrate()
            else:
                manager.step(words, who == 'fm again')
    for host in hosts:
        host.end()


def run(args, folder):
    report = Report(args.story)
    initramfs = os.path.join(folder, 'initramfs')
    guest.make_initramfs(initramfs, args.init, [])
    pool = os.path.join(folder, 'pool')
    story, count = PLAYS[args.play]
    hosts = []
    with guest_qemu.popen([args.poold, f'--size={2 * REGION}', '--regions=2',
                           '--set=dc1-sharable=on', f'--heads={count}',
                           pool]) as daemon:
        try:
            while not os.path.exists(os.path.join(pool, 'fm.sock')):
                if daemon.poll() is not None:
                    raise RuntimeError('cxl-poold does not start')
            hosts = start(args, count, initramfs, folder, report)
            play(story, hosts,
                 Manager(args.fm, f'unix:{pool}/fm.sock', report), report)
        except (OSError, RuntimeError, guest_qemu.AskError,
                subprocess.TimeoutExpired) as error:
            report.test(False, f'the story goes on: {error}')
        finally:
            for host in hosts:
                host.stop()
            daemon.terminate()
    report.test(daemon.returncode == 0, 'cxl-poold ends well')
    if report.failed:
        for n in range(count):
            guest.tail(f'{folder}/console{n}', guest.END_LINES)
    if not args.story:
        print(f'1..{report.tests}')
    return FAILED if report.failed else OK


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--qemu', required=True, help='qemu-system-x86_64')
    parser.add_argument('--kernel', required=True, help='bzImage')
    parser.add_argument('--init', required=True, help='static /init')
    parser.add_argument('--fm', required=True, help='cxl-fm')
    parser.add_argument('--poold', required=True, help='cxl-poold')
    parser.add_argument('--accel', default='auto',
                        choices=['auto', 'kvm', 'tcg'])
    plays = parser.add_mutually_exclusive_group()
    plays.add_argument('--migrate', dest='play', action='store_const',
                       const='migrate',
                       help='the story of machines that are migrated')
    plays.add_argument('--weigh', dest='play', action='store_const',
                       const='weigh', help='what memory of the pool costs')
    parser.add_argument('--story', action='store_true',
                        help='for a person: no passed tests')
    args = parser.parse_args()
    for what in (args.qemu, args.kernel, args.init, args.fm, args.poold):
        if not os.path.isfile(what):
            print(f'Bail out! {what} is missing')
            return MISSING
    with tempfile.TemporaryDirectory(prefix='cxl-pool-') as folder:
        return run(args, folder)


if __name__ == '__main__':
    sys.exit(main())
