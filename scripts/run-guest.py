#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot the test guest in QEMU and report its results as TAP.

The guest is a Linux kernel and one static program, which is its /init
(tests/guest/).  Its console goes into a log file, its results come over a
second serial port and are passed on line by line.

Exit status: 0 all tests passed, 1 a test failed, 2 something needed is missing,
3 the guest hung, 4 QEMU or the guest ended before the results were complete.
"""

import argparse
import fcntl
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import fm_story
import guest_hang
import guest_qemu

# Where Debian's seabios, qemu-system-data and ipxe-qemu put their files
FIRMWARE = ['/usr/share/seabios', '/usr/share/qemu', '/usr/lib/ipxe/qemu']

# _IO(0xAE, 0), the number behind it is fixed since Linux 2.6.20
KVM_GET_API_VERSION = 0xAE00
KVM_API = 12

# Linux refuses to create regions when it sees a hypervisor; the host's list of
# CPU errata cannot be passed on by every nested KVM
CPU = 'max,-hypervisor,-arch-capabilities'

# 64-bit Arm: its tables of ACPI come from UEFI, and pointers are authenticated
# in a way that is quick to emulate
ARM_QEMU = 'qemu-system-aarch64'
ARM_CPU = 'max,pauth-impdef=on'
ARM_UEFI = 'QEMU_EFI.fd'

MIB = 1 << 20
STATIC = 256 * MIB
REGION = 256 * MIB
LABELS = MIB // 4
XHCI = 'qemu-xhci'
# I2C address of the first MCTP endpoint, known to tests/guest/mctp-link.c
FIRST_I2C = 0x20

# KiB that QEMU may grow by in a long run: translated code and caches, two huge
# pages of the host (one made a run of 10,000 commands look like a leak).  A
# leak of one message per command is more; the qtest of the same transport, with
# no guest behind it, has the finer bound.
MAY_GROW = 4096

# A kernel under KVM has printed its first line by then, or it never will
FIRST_SIGN = 8

# Lines of the console that are shown: after an end, and of a guest that hangs
END_LINES = 25
HANG_LINES = 40

# UEFI clears the screen of each serial line
TERMINAL = re.compile(r'\x1b\[[=0-9;]*[a-zA-Z]')

OK, FAILED, MISSING, HUNG, DIED = range(5)
SILENT = 'the kernel does not start'


def say(text):
    print('# ' + text, flush=True)


def die(status, text):
    print('Bail out! ' + text, flush=True)
    sys.exit(status)


def kvm_verdict():
    """File that says, until the machine is restarted, that KVM is no use."""
    try:
        with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as f:
            boot = f.read().strip()
    except OSError:
        boot = 'unknown'
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    return os.path.join(cache, 'qemu-cxl', 'no-kvm-' + boot)


def kvm_works(qemu):
    """Can this QEMU use KVM on this machine, as far as one can tell?"""
    if os.path.exists(kvm_verdict()):
        return False
    try:
        fd = os.open('/dev/kvm', os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if fcntl.ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API:
            return False
    except OSError:
        return False
    finally:
        os.close(fd)
    out = subprocess.run([qemu, '-accel', 'help'], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False)
    return b'kvm' in out.stdout.split()


def give_up_kvm():
    """It is there, and nothing runs by it."""
    say('KVM of this machine is no use, going on without')
    os.makedirs(os.path.dirname(kvm_verdict()), exist_ok=True)
    with open(kvm_verdict(), 'w', encoding='ascii'):
        pass


def cpio_entry(name, mode, data=b'', rdev=(0, 0)):
    """One file of a "newc" archive (Linux: driver-api/early-userspace)."""
    path = name.encode() + b'\0'
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1],
              len(path), 0]
    out = b'070701' + b''.join(b'%08x' % f for f in fields) + path
    out += b'\0' * (-len(out) % 4) + data
    return out + b'\0' * (-len(out) % 4)


def files_below(folder):
    """Name in the guest and file of everything in a tree."""
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            yield os.path.relpath(path, folder), path


def make_initramfs(path, init, extra):
    """Write an archive with @init and whatever "NAME=FILE" says."""
    # D-Bus has its socket in the last one
    folders = {'dev', 'proc', 'sys', 'tmp', 'bin', 'run', 'run/dbus'}
    for name, _ in extra:
        while name := os.path.dirname(name):
            folders.add(name)
    with open(path, 'wb') as out:
        for folder in sorted(folders):
            out.write(cpio_entry(folder, 0o040755))
        out.write(cpio_entry('dev/console', 0o020600, rdev=(5, 1)))
        for name, source in [('init', init)] + extra:
            with open(source, 'rb') as f:
                out.write(cpio_entry(name, 0o100755, f.read()))
        out.write(cpio_entry('TRAILER!!!', 0))


def manager_machine(args):
    """A machine with nothing but a serial line to the other machine."""
    return ['-M', 'q35', '-cpu', args.cpu, '-m', '256M', '-smp', '1',
            '-nodefaults', '-no-reboot', '-display', 'none',
            '-chardev', 'socket,id=line,reconnect-ms=100,path=' +
            args.fm_socket]


def i2c_machine(args):
    """A machine without CXL for the I2C controller alone."""
    return ['-M', 'q35', '-cpu', args.cpu, '-m', '512M', '-smp', '2',
            '-nodefaults', '-no-reboot', '-display', 'none',
            '-device', 'dw-i2c-pci,id=i2c0,hide-linux-races=on',
            '-device', 'at24c-eeprom,bus=i2c0.0,address=0x50,rom-size=256',
            '-device', 'i2c-echo,bus=i2c0.0,address=0x30']


def lasting(args, name, size):
    """A backend that outlives QEMU where a person asks for it."""
    if not args.sockets:
        return f'memory-backend-memfd,id={name},size={size}'
    return (f'memory-backend-file,id={name},size={size},share=on,'
            f'mem-path={args.sockets}/{name}.raw')


def device(args, number, bus, static=STATIC):
    """A Type 3 device with dynamic capacity."""
    size = args.regions * REGION
    line = ['-object', f'memory-backend-memfd,id=dynamic{number},size={size}']
    props = (f'cxl-type3,bus={bus},id=mem{number},'
             f'volatile-dc-memdev=dynamic{number},'
             f'num-dc-regions={args.regions}')
    if not args.no_static:
        line += ['-object', f'memory-backend-memfd,id=static{number},'
                 f'size={static}']
        props += f',volatile-memdev=static{number}'
    if args.persistent:
        line += ['-object', lasting(args, f'pmem{number}', STATIC),
                 '-object', lasting(args, f'lsa{number}', LABELS)]
        props += f',persistent-memdev=pmem{number},lsa=lsa{number}'
    if not args.no_serial:
        props += f',sn={0xc0de0000 + number}'
    if args.dc_props:
        props += ',' + args.dc_props
    return line + ['-device', props]


def direct(args):
    """One device below the root port. Return arguments, MCTP targets."""
    return device(args, 0, 'rp0'), ['mem0']


def paired(args):
    """Two devices below two root ports, room for four regions over both."""
    line = ['-device', 'cxl-rp,port=1,bus=hb0,id=rp1,chassis=0,slot=3']
    for n in range(2):
        line += device(args, n, f'rp{n}', 4 * STATIC)
    return line, ['mem0', 'mem1']


def bridged(args):
    """The window is over host bridges, each with one device."""
    line = []
    for n in range(1, args.bridges):
        line += ['-device', f'pxb-cxl,bus_nr={12 + 8 * n},bus=pcie.0,id=hb{n}',
                 '-device', f'cxl-rp,port=0,bus=hb{n},id=rp{n},chassis=0,'
                 f'slot={2 + n}']
    for n in range(args.bridges):
        line += device(args, n, f'rp{n}')
    return line, [f'mem{n}' for n in range(args.bridges)]


def switched(args):
    """A switch with devices below the root port."""
    line = ['-device', 'cxl-upstream,bus=rp0,id=us0']
    for n in range(args.switch):
        line += ['-device', f'cxl-downstream,port={n},bus=us0,id=ds{n},'
                 f'chassis=0,slot={4 + n}']
        line += device(args, n, f'ds{n}')
    return line, ['us0'] + [f'mem{n}' for n in range(args.switch)]


def nested_machine(args):
    """A machine to run QEMU in, with a PCI device that nobody there needs."""
    return ['-M', 'q35', '-cpu', args.cpu, '-m', '4G', '-smp', '2',
            '-nodefaults', '-no-reboot', '-display', 'none',
            '-device', 'intel-iommu,intremap=off',
            '-device', f'edu,dma_mask={(1 << 64) - 1}']


def is_arm(args):
    return os.path.basename(args.qemu) == ARM_QEMU


def board(args):
    """Which machine, and what it starts from."""
    if is_arm(args):
        return 'virt,gic-version=3', ['-cpu', args.cpu, '-bios', ARM_UEFI]
    return 'q35', ['-cpu', args.cpu]


def machine_args(args):
    if args.machine:
        return [*shlex.split(args.machine), '-nodefaults', '-no-reboot',
                '-display', 'none']
    if args.scenario == 'nested':
        return nested_machine(args)
    if args.scenario == 'i2c':
        return i2c_machine(args)
    if args.scenario == 'manager':
        return manager_machine(args)
    name, start = board(args)
    targets = ','.join(f'cxl-fmw.0.targets.{n}=hb{n}'
                       for n in range(args.bridges))
    line = ['-M', f'{name},cxl=on,{targets},cxl-fmw.0.size=4G,'
            'memory-backend=ram', *start, '-m', '1G,maxmem=4G,slots=2',
            # shared, so that it does not count as memory of QEMU itself
            '-object', 'memory-backend-memfd,id=ram,size=1G',
            '-smp', '2', '-nodefaults', '-no-reboot', '-display', 'none',
            '-device', 'pxb-cxl,bus_nr=12,bus=pcie.0,id=hb0' +
            # with decoders Linux makes several regions below one root port
            (',hdm_for_passthrough=on' if args.scenario == 'shell' else ''),
            '-device', 'cxl-rp,port=0,bus=hb0,id=rp0,chassis=0,slot=2']
    devices, targets = (switched if args.switch else
                        paired if args.pair else
                        bridged if args.bridges > 1 else direct)(args)
    line += devices
    if args.i2c:
        # dw-i2c-pci carries the bus; every endpoint is one CCI on it
        line += ['-device', 'dw-i2c-pci,bus=pcie.0,id=i2c0,'
                 'hide-linux-races=on']
        for address, target in enumerate(targets, FIRST_I2C):
            line += ['-device', f'i2c_mctp_cxl,id=ep{address - FIRST_I2C},'
                     f'bus=i2c0.0,address={address},target={target}']
    if args.usb:
        # one port more, or QEMU puts a hub there; an EHCI has six
        ports = len(targets) + 1
        line += ['-device', f'{args.usb},bus=pcie.0,id=usb' +
                 (f',p2={ports},p3={ports}' if args.usb == XHCI else '')]
        for port, target in enumerate(targets, 1):
            line += ['-device', f'usb-cxl-mctp,id=usb{port - 1},bus=usb.0,'
                     f'port={port},target={target}']
    return line


def command_line(args, accel, initramfs, console):
    line = [args.qemu, '-accel', accel]
    for folder in args.firmware or FIRMWARE:
        if os.path.isdir(folder):
            line += ['-L', folder]
    shell = args.scenario == 'shell'
    console = 'stdio,signal=off' if shell else f'file,append=on,path={console}'
    nobody = shell or args.scenario == 'managed'
    results = 'null' if nobody else 'stdio,signal=off'
    # a person does not want the kernel's words between his own
    # ... and a busy host delays timers: do not measure one with another
    tty = 'ttyAMA' if is_arm(args) else 'ttyS'
    append = (f'console={tty}0 loglevel={3 if shell else 7} panic=-1 '
              'no_timer_check tsc=reliable '
              f'cxltest={args.scenario} cxlout={tty}1 {args.append}')
    line += machine_args(args)
    if args.sockets:
        line += ['-qmp', f'unix:{args.sockets}/qmp.sock,server=on,wait=off']
    if args.fm or args.sockets or args.scenario == 'managed':
        line += ['-chardev', 'socket,server=on,wait=off,id=fm,path=' +
                 args.fm_socket,
                 '-device', 'mctp-serial-cxl,chardev=fm,target=mem0']
    line += ['-kernel', args.kernel, '-initrd', initramfs,
             '-append', append.strip(),
             '-chardev', f'{console},id=console',
             '-chardev', f'{results},id=results',
             '-serial', 'chardev:console', '-serial', 'chardev:results',
             '-monitor', 'none']
    if args.scenario == 'manager':
        line += ['-serial', 'chardev:line']
    if args.scenario in ('ndctl', 'pmem', 'reset', 'security'):
        line.remove('-no-reboot')
    return line + args.qemu_args


class Results:
    """What the guest said so far; TAP version 13 without subtests."""

    def __init__(self, quiet):
        self.quiet = quiet
        self.story = None
        self.memory = None
        self.tests = 0
        self.failed = 0
        self.plan = None

    def take(self, line, pid):
        match = re.match(r'(not )?ok\b', line)
        if match:
            self.tests += 1
            self.failed += bool(match.group(1))
        match = re.match(r'1\.\.(\d+)$', line)
        if match:
            self.plan = int(match.group(1))
        if line.startswith('# memory: '):
            self.weigh(pid, line.endswith('to here'))
        if self.quiet and re.match(r'(ok\b|1\.\.)', line):
            return
        if self.story:
            self.story.take(line)
        else:
            print(line, flush=True)

    def weigh(self, pid, end):
        """QEMU's own memory; what it holds for the guest is not in it."""
        with open(f'/proc/{pid}/status', encoding='ascii') as f:
            now = int(re.search(r'RssAnon:\s+(\d+) kB', f.read()).group(1))
        if not end:
            self.memory = now
            return
        grown = now - self.memory
        say(f'QEMU holds {now} KiB, {grown} KiB more than before')
        if grown > MAY_GROW:
            self.failed += 1
            print(f"Bail out! QEMU's memory grew by {grown} KiB", flush=True)

    def complete(self):
        return self.plan is not None and self.plan == self.tests


def tail(path, lines):
    try:
        with open(path, 'rb') as f:
            text = f.read().decode(errors='replace')
    except OSError:
        return
    for line in text.splitlines()[-lines:]:
        say('console: ' + line.rstrip())


class Watcher:
    """Passes results on until QEMU ends or there is a reason to stop it."""

    def __init__(self, machine, results, console, args):
        self.machine = machine
        self.results = results
        self.console = console
        self.args = args
        self.start = self.last = time.monotonic()
        self.size = 0
        self.rest = b''

    def take(self, data):
        *lines, self.rest = (self.rest + data).split(b'\n')
        for line in lines:
            text = TERMINAL.sub('', line.decode(errors='replace')).rstrip('\r')
            self.results.take(text, self.machine.process.pid)
            if text.startswith('# runner: '):
                reply, left = self.machine.ask(text[len('# runner: '):])
                say(f'runner: {reply}')
                self.last = time.monotonic()
                self.take(left)

    def see_console(self, now):
        try:
            size = os.path.getsize(self.console)
        except OSError:
            size = 0
        if size > self.size:
            if not self.size:
                say(f'kernel is booting ({now - self.start:.1f} s)')
            self.size, self.last = size, now

    def run(self, first_sign):
        """Return None or why it should be stopped."""
        while True:
            stream = self.machine.process.stdout.fileno()
            ready, _, _ = select.select([stream], [], [], 1)
            now = time.monotonic()
            if ready:
                data = os.read(stream, 65536)
                if not data:
                    return None
                self.last = now
                self.take(data)
            self.see_console(now)
            if not self.size and now - self.start > first_sign:
                return SILENT
            if now - self.last > self.args.idle_limit:
                return f'no sign of life for {self.args.idle_limit} s'
            if now - self.start > self.args.limit:
                return f'not done after {self.args.limit} s'


def start_managed(args, accel, initramfs):
    """The machine that scenario "manager" manages."""
    folder = os.path.join(os.path.dirname(initramfs), 'managed')
    os.makedirs(folder, exist_ok=True)
    other = argparse.Namespace(**vars(args))
    other.scenario = 'managed'
    machine = guest_qemu.Machine(
        command_line(other, accel, initramfs,
                     os.path.join(folder, 'console.log')), folder)
    machine.start()
    return machine


def managed_console(machine):
    return os.path.join(os.path.dirname(machine.socket), 'console.log')


def end_managed(machine, good, told):
    machine.stop()
    if not good:
        for text in machine.words():
            say('the other qemu: ' + text)
        if not told:
            tail(managed_console(machine), END_LINES)


def tell_hang(machine, kernel, console, other):
    """Where the machines are that will be stopped."""
    if other:
        tail(managed_console(other), END_LINES)
        guest_hang.report(other, kernel, managed_console(other),
                          lambda text: say('the other ' + text))
    tail(console, HANG_LINES)
    guest_hang.report(machine, kernel, console, say)


def boot(args, accel, first_sign, initramfs, console):
    """One try. Return results, the reason of a stop or None, exit status."""
    with open(console, 'w', encoding='utf-8'):
        pass
    line = command_line(args, accel, initramfs, console)
    say(f'scenario {args.scenario} under {accel}')
    if args.verbose:
        say(shlex.join(line))
    results = Results(args.story)
    other = None
    if args.scenario == 'manager':
        other = start_managed(args, accel, initramfs)
    machine = guest_qemu.Machine(line, os.path.dirname(initramfs))
    machine.start()
    if args.fm:
        results.story = fm_story.Story(args.fm, 'unix:' + args.fm_socket,
                                       lambda: machine.tell('end'))

    try:
        why = Watcher(machine, results, console, args).run(first_sign)
    except SystemExit:
        machine.stop()
        if other:
            other.stop()
        raise
    # KVM that does not start anything is left to the next try
    told = why and not (why == SILENT and first_sign < args.idle_limit)
    if told:
        tell_hang(machine, args.kernel, console, other)
    if why:
        machine.stop()
    code = machine.process.wait()
    if other:
        end_managed(other, results.complete() and not results.failed, told)
    for text in machine.words():
        say('qemu: ' + text)
    if results.story and results.story.failed:
        results.failed += 1
        say('the story breaks off: ' + results.story.failed)
    return results, why, code


def run(args, folder):
    initramfs = os.path.join(folder, 'initramfs')
    console = args.console or os.path.join(folder, 'console.log')
    extra = [tuple(e.split('=', 1)) for e in args.add]
    for tree in args.tree:
        extra += sorted(files_below(tree))
    args.fm_socket = (os.path.join(args.sockets, 'fm.sock') if args.sockets
                      else os.path.join(folder, 'fm'))
    make_initramfs(initramfs, args.init, extra)
    accel = args.accel
    if accel == 'auto':
        accel = 'kvm' if kvm_works(args.qemu) else 'tcg'
    if args.scenario == 'shell':
        line = command_line(args, accel, initramfs, console)
        with guest_qemu.popen(line) as shell:
            try:
                return shell.wait()
            finally:
                shell.kill()
    fragile = args.accel == 'auto' and accel == 'kvm'
    results, why, code = boot(args, accel, FIRST_SIGN if fragile else
                              args.idle_limit, initramfs, console)
    if fragile and not results.tests and (why == SILENT or code):
        give_up_kvm()
        results, why, code = boot(args, 'tcg', args.idle_limit, initramfs,
                                  console)
    if not why and (code or not results.complete()):
        tail(console, END_LINES)
    if why:
        die(HUNG, f'the guest hangs: {why}')
    if code:
        die(DIED, f'QEMU ended with status {code}')
    if not results.complete():
        die(DIED, f'{results.tests} results, plan says {results.plan}')
    return FAILED if results.failed else OK


def parse(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--qemu', required=True,
                        help='qemu-system-x86_64, or -aarch64')
    parser.add_argument('--kernel', required=True, help='bzImage, Image')
    parser.add_argument('--optional', metavar='WORDS',
                        help='skip without kernel or trees, which WORDS make')
    parser.add_argument('--init', required=True, help='static /init')
    parser.add_argument('--scenario', default='boot')
    parser.add_argument('--machine', metavar='WORDS',
                        help="this machine, not one of the scenario's")
    parser.add_argument('--i2c', action='store_true',
                        help='add an I2C controller and MCTP endpoints')
    parser.add_argument('--usb', nargs='?', const=XHCI, metavar='CONTROLLER',
                        help=f'add this and MCTP endpoints [{XHCI}]')
    parser.add_argument('--switch', type=int, nargs='?', const=2, default=0,
                        metavar='N', help='a switch with N devices [2]')
    parser.add_argument('--pair', action='store_true',
                        help='two devices below two root ports')
    parser.add_argument('--bridges', type=int, default=1, metavar='N',
                        help='a window over N host bridges [1]')
    parser.add_argument('--regions', type=int, default=2, metavar='N',
                        help='regions of dynamic capacity, 256 MiB each')
    parser.add_argument('--no-static', action='store_true',
                        help='devices without static capacity')
    parser.add_argument('--persistent', action='store_true',
                        help='devices with persistent capacity and labels')
    parser.add_argument('--dc-props', default='', metavar='PROPS',
                        help='further properties of the cxl-type3')
    parser.add_argument('--accel', default='auto',
                        choices=['auto', 'kvm', 'tcg'])
    parser.add_argument('--cpu')
    parser.add_argument('--firmware', action='append', metavar='DIR')
    parser.add_argument('--append', default='', help='kernel command line')
    parser.add_argument('--add', action='append', default=[],
                        metavar='NAME=FILE', help='file for the guest')
    parser.add_argument('--no-serial', action='store_true',
                        help='devices that get no serial number from here')
    parser.add_argument('--tree', action='append', default=[],
                        metavar='DIR', help='files for the guest')
    parser.add_argument('--console', help='keep the console log here')
    parser.add_argument('--limit', type=int, default=540, metavar='S',
                        help='whole run')
    parser.add_argument('--idle-limit', type=int, default=90, metavar='S',
                        help='without any output')
    parser.add_argument('--story', action='store_true',
                        help='do not show passed tests')
    parser.add_argument('--fm', metavar='PROGRAM',
                        help='cxl-fm, which talks to the first device over '
                        'a socket while the guest runs')
    parser.add_argument('--sockets', metavar='DIR',
                        help='put a socket for a Fabric Manager (fm.sock) and '
                        "one for the monitor (qmp.sock) there")
    parser.add_argument('-v', '--verbose', action='store_true')
    parser.add_argument('qemu_args', nargs='*', help='after "--"')
    args = parser.parse_args(words)
    args.cpu = args.cpu or (ARM_CPU if is_arm(args) else CPU)
    return args


def main(words=None):
    args = parse(words)
    if args.optional and not all(map(os.path.exists,
                                     [args.kernel, *args.tree])):
        print(f'1..0 # SKIP not there: {args.optional} says why')
        return OK
    for what in filter(None, (args.qemu, args.kernel, args.init, args.fm)):
        if not os.path.isfile(what):
            die(MISSING, f'{what} is missing')
    for what in args.tree:
        if not os.path.isdir(what):
            die(MISSING, f'{what} is missing')
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(DIED))
    with tempfile.TemporaryDirectory(prefix='cxl-guest-') as folder:
        return run(args, folder)


if __name__ == '__main__':
    sys.exit(main())
