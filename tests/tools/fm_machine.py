# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine without a guest: a dynamic capacity device, a Fabric Manager's
sockets to it, and a host that answers through the PCI mailbox.

The processor does not run (-accel qtest); the host's register accesses go over
QEMU's qtest socket, and its virtual time stands still until clock_step().
"""

import os
import socket
import struct
import subprocess
import tempfile
import threading
import time
import uuid

MIB = 1 << 20
STATIC = 256 * MIB
REGION = 256 * MIB
DC_BASE = STATIC
BLOCK = 2 * MIB

ECAM = 0xb0000000
ECAM_REG = 0x60
MMIO = 0xc0000000
PXB_BUS = 52
BAR2 = MMIO + 0x10000

# Registers of the mailbox in BAR 2 (CXL r3.2 8.2.9.4)
MB_CONTROL = 0x8c
MB_COMMAND = 0x90
MB_STATUS = 0x98
MB_PAYLOAD = 0xa8

DC_LOG = 4
ADD, RELEASE, FORCED = 0, 1, 2

# For what takes no time at all on an idle machine
PATIENCE = 60


class Qtest:
    """QEMU's qtest protocol: lines of text."""

    def __init__(self, path):
        self.lock = threading.Lock()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(PATIENCE)
        self.listener = listener
        self.stream = None

    def accept(self):
        link, _ = self.listener.accept()
        link.settimeout(PATIENCE)
        self.stream = link.makefile('rw', encoding='ascii')

    def say(self, *words):
        with self.lock:
            self.stream.write(' '.join(str(w) for w in words) + '\n')
            self.stream.flush()
            while True:
                answer = self.stream.readline().split()
                if not answer or answer[0] == 'OK':
                    return answer[1] if len(answer) > 1 else None
                if answer[0] != 'IRQ':
                    raise RuntimeError(f'qtest: {words}: {answer}')

    def read(self, kind, address):
        return int(self.say('read' + kind, hex(address)), 16)

    def write(self, kind, address, value):
        self.say('write' + kind, hex(address), hex(value))

    def get(self, address, size):
        return bytes.fromhex(self.say('read', hex(address), size)[2:])

    def put(self, address, data):
        if data:
            self.say('write', hex(address), len(data), '0x' + data.hex())


class Extent:
    """28h bytes of the wire."""

    def __init__(self, data):
        self.dpa, self.length = struct.unpack('<QQ', data[:16])
        self.tag = uuid.UUID(bytes=bytes(data[16:32]))
        self.sequence = struct.unpack('<H', data[32:34])[0]


class Event:
    """A dynamic capacity record."""

    def __init__(self, data):
        self.handle = struct.unpack('<H', data[0x14:0x16])[0]
        self.type = data[0x30]
        self.more = data[0x35] & 1
        self.extent = Extent(data[0x38:0x60])


def dcd(props):
    """Arguments of a machine with one device (mem0)."""
    return [
        '-nodefaults', '-m', '128M',
        '-M', 'q35,cxl=on,cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=4G',
        '-object', f'memory-backend-ram,id=static,size={STATIC}',
        '-object', f'memory-backend-ram,id=dynamic,size={2 * REGION}',
        '-device', f'pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr={PXB_BUS}',
        '-device', 'cxl-rp,id=rp0,bus=cxl.0,chassis=0,slot=0,port=0',
        '-device', 'cxl-type3,id=mem0,bus=rp0,sn=0xc0de1234,'
        'mailbox-payload=4K,'
        'volatile-memdev=static,volatile-dc-memdev=dynamic,'
        'num-dc-regions=2' + (',' + props if props else '')]


class Machine:
    """QEMU with that machine or another, whose first device is below the first
    root port of the bridge of @bus, and an endpoint for each link."""

    def __init__(self, qemu, props='', links=('unix',), args=(), line=None,
                 bus=PXB_BUS, cwd=None):
        self.folder = tempfile.TemporaryDirectory(prefix='cxl-fm-')
        self.qtest = Qtest(self.path('qtest'))
        self.bus = bus
        self.urls = []
        line = [
            qemu, '-accel', 'qtest', '-display', 'none',
            '-qtest', 'unix:' + self.path('qtest'),
            '-qtest-log', 'none', '-monitor', 'none',
            '-qmp', f'unix:{self.path("qmp")},server=on,wait=off',
            *(line or dcd(props))]
        for number, kind in enumerate(links):
            line += self.link(number, kind)
        self.errors = open(self.path('errors'), 'w+b')
        self.process = subprocess.Popen(
            line + list(args), stdin=subprocess.DEVNULL, cwd=cwd,
            stdout=subprocess.PIPE if 'pty' in links else self.errors,
            stderr=subprocess.STDOUT if 'pty' in links else self.errors)
        self.agent = None
        try:
            self.qtest.accept()
            for number, kind in enumerate(links):
                if kind == 'pty':
                    self.urls[number] = 'pty:' + self.find_pty()
            self.enumerate_pci()
        except OSError as error:
            self.process.kill()
            self.process.wait()
            raise RuntimeError('QEMU does not start: ' + self.words()) \
                from error

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def link(self, number, kind):
        if kind == 'unix':
            where = 'socket,server=on,wait=off,path=' + self.path(f'fm{number}')
            url = 'unix:' + self.path(f'fm{number}')
        elif kind == 'tcp':
            with socket.socket() as probe:
                probe.bind(('127.0.0.1', 0))
                port = probe.getsockname()[1]
            where = f'socket,server=on,wait=off,host=127.0.0.1,port={port}'
            url = f'tcp:127.0.0.1:{port}'
        else:
            where, url = 'pty', None
        self.urls.append(url)
        return ['-chardev', f'{where},id=fm{number}',
                '-device', f'mctp-serial-cxl,chardev=fm{number},'
                'target=mem0']

    def find_pty(self):
        """QEMU says "char device redirected to /dev/pts/N (label fm0)"."""
        while True:
            text = self.process.stdout.readline().decode()
            if not text:
                raise RuntimeError('no pty')
            if 'redirected to' in text:
                return text.split('redirected to ')[1].split()[0]

    def words(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors='replace')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.agent:
            self.stop_host()
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()
        self.qtest.stream.close()
        self.qtest.listener.close()
        words = self.words()
        self.errors.close()
        self.folder.cleanup()
        if code:
            raise RuntimeError(f'QEMU ended with {code}: {words}')

    # -- the host's hardware ------------------------------------------------

    def enumerate_pci(self):
        q = self.qtest
        for register, value in ((ECAM_REG + 4, 0), (ECAM_REG, ECAM | 1)):
            q.say('outl', '0xcf8', hex(0x80000000 | register))
            q.say('outl', '0xcfc', hex(value))
        port = ECAM | self.bus << 20
        device = ECAM | (self.bus + 1) << 20
        q.write('l', port + 0x18, self.bus | (self.bus + 1) << 8 |
                (self.bus + 1) << 16)
        q.write('l', port + 0x20, (MMIO >> 16 & 0xfff0) | (MMIO & 0xfff00000))
        q.write('w', port + 4, 6)
        q.write('l', device + 0x10, MMIO)
        q.write('l', device + 0x14, 0)
        q.write('l', device + 0x18, BAR2)
        q.write('l', device + 0x1c, 0)
        q.write('w', device + 4, 6)

    def mailbox(self, opcode, payload=b''):
        """Return the code and the answer of a command."""
        q = self.qtest
        q.put(BAR2 + MB_PAYLOAD, payload)
        q.write('q', BAR2 + MB_COMMAND, opcode | len(payload) << 16)
        q.write('l', BAR2 + MB_CONTROL, 1)
        self.await_doorbell()
        code = q.read('q', BAR2 + MB_STATUS) >> 32 & 0xffff
        length = q.read('q', BAR2 + MB_COMMAND) >> 16 & 0xfffff
        return code, q.get(BAR2 + MB_PAYLOAD, length) if length else b''

    def await_doorbell(self):
        """Most commands are over at once; another process runs some."""
        end = time.monotonic() + PATIENCE
        while self.qtest.read('l', BAR2 + MB_CONTROL) & 1:
            if time.monotonic() > end:
                raise RuntimeError('the mailbox stays busy')

    def clock_step(self, ns):
        self.qtest.say('clock_step', ns)

    # -- the host's driver --------------------------------------------------

    def events(self):
        """Read the host's log and clear it."""
        found = []
        while True:
            code, data = self.mailbox(0x0100, bytes([DC_LOG]))
            assert code == 0, code
            count = struct.unpack('<H', data[0x14:0x16])[0]
            if not count:
                return found
            page = [Event(data[0x20 + 0x80 * i:][:0x80])
                    for i in range(count)]
            code, _ = self.mailbox(0x0101, struct.pack(
                f'<BBBBBB{count}H', DC_LOG, 0, count, 0, 0, 0,
                *(e.handle for e in page)))
            assert code == 0, code
            found += page

    def respond(self, opcode, extents):
        """4802h or 4803h with (dpa, length) pairs."""
        data = struct.pack('<IBBBB', len(extents), 0, 0, 0, 0)
        for dpa, length in extents:
            data += struct.pack('<QQQ', dpa, length, 0)
        return self.mailbox(opcode, data)[0]

    def host(self, policy='accept'):
        """Answer what is in the log now, as a host's driver would."""
        group = []
        for event in self.events():
            pair = (event.extent.dpa, event.extent.length)
            if event.type == ADD:
                group.append(pair)
                if not event.more:
                    if policy == 'part':
                        group = [(group[0][0], group[0][1] // 2)]
                    if policy == 'refuse':
                        group = []
                    assert self.respond(0x4802, group) == 0
                    group = []
            elif event.type == RELEASE and policy != 'keep':
                assert self.respond(0x4803, [pair]) == 0

    def start_host(self, policy='accept'):
        """A host that answers by itself, until stop_host()."""
        self.running = True

        def loop():
            while self.running:
                self.host(policy)
                time.sleep(0.02)
        self.agent = threading.Thread(target=loop)
        self.agent.start()

    def stop_host(self):
        self.running = False
        self.agent.join()
        self.agent = None
