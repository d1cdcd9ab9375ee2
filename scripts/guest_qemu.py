# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU that runs the test guest, and what the guest may ask for.

A guest that writes "# runner: WORDS" on its results port waits for a line that
says how it went:

  migrate      move the machine into a fresh QEMU
  unplug ID    take a device out
  plug ID      put it in again, as it was on the command line
  offer ID OFFSET LENGTH
               dynamic capacity of its first region, by the monitor
  error ID correctable|uncorrectable TYPE
               a protocol error, by the monitor, which nothing keeps from the
               guest
  extents ID DPA+LENGTH...
               does the monitor say that the host has these, and no offer?
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

# Seconds for a migration to a file, for the guest to let a device go (Linux
# waits 5 s after the button), and for QEMU to end when told to
MIGRATE_LIMIT = 120
UNPLUG_LIMIT = 60
END_LIMIT = 10


class AskError(Exception):
    """The guest's wish could not be fulfilled."""


# prctl() of Linux
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def popen(line, **more):
    """Start a process that is killed when we end, in whatever way."""
    parent = os.getpid()

    def tie():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
    return subprocess.Popen(line, preexec_fn=tie, **more)


class Machine:
    """A QEMU process; after a migration another one in its place."""

    def __init__(self, line, folder):
        self.socket = os.path.join(folder, 'qmp')
        self.state = os.path.join(folder, 'state')
        self.line = line + ['-qmp', f'unix:{self.socket},server=on,wait=off']
        self.errors = tempfile.TemporaryFile()
        self.process = None
        # seconds for an answer
        self.patience = MIGRATE_LIMIT

    def start(self, *more):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process = popen(
            self.line + list(more), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.errors)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def words(self):
        """What QEMU itself wrote, to be called once it has ended."""
        self.errors.seek(0)
        return self.errors.read().decode(errors='replace').splitlines()

    def command(self, name, **arguments):
        """One QMP command on a connection of its own."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(self.patience)
            link.connect(self.socket)
            stream = link.makefile('rw', encoding='utf-8')
            for what in ({'execute': 'qmp_capabilities'},
                         {'execute': name, 'arguments': arguments}):
                stream.write(json.dumps(what) + '\n')
                stream.flush()
                answer = {}
                while 'return' not in answer and 'error' not in answer:
                    text = stream.readline()
                    if not text:
                        raise AskError(f'{name}: QEMU is gone')
                    answer = json.loads(text)
                if 'error' in answer:
                    raise AskError(f"{name}: {answer['error']['desc']}")
            return answer['return']

    def monitor(self, words):
        """What the monitor for people says to @words."""
        return self.command('human-monitor-command',
                            **{'command-line': words})

    def device(self, name):
        for option, value in zip(self.line, self.line[1:]):
            if option == '-device' and 'id=' + name in value.split(','):
                return value
        raise AskError(f'no device {name}')

    def unplug(self, name):
        end = time.monotonic() + UNPLUG_LIMIT
        self.command('device_del', id=name)
        while any(child['name'] == name for child in
                  self.command('qom-list', path='/machine/peripheral')):
            if time.monotonic() > end:
                raise AskError(f'{name} stays')
            time.sleep(0.1)

    def offer(self, name, offset, length):
        self.command('cxl-add-dynamic-capacity', **{
            'path': '/machine/peripheral/' + name, 'host-id': 0, 'region': 0,
            'selection-policy': 'prescriptive', 'tag': '',
            'extents': [{'offset': int(offset, 0), 'len': int(length, 0)}]})

    def error(self, name, kind, what):
        path = '/machine/peripheral/' + name
        if kind == 'correctable':
            hidden = self.command('cxl-inject-correctable-error', path=path,
                                  type=what)
        else:
            hidden = self.command(
                'cxl-inject-uncorrectable-errors', path=path,
                errors=[{'type': what, 'header': list(range(1, 17))}])
        if hidden:
            raise AskError('the guest does not see it: ' + json.dumps(hidden))

    def extents(self, name, *wanted):
        host = self.command('query-cxl-dynamic-capacity',
                            path='/machine/peripheral/' + name)['hosts'][0]
        got = [f'{e["dpa"]:#x}+{e["len"]:#x}' for e in host['accepted']]
        if sorted(got) != sorted(wanted):
            raise AskError('accepted are ' + ' '.join(got))
        if host['pending']:
            raise AskError(f'{len(host["pending"])} offers are open')

    def runs(self):
        """Does the guest run? QEMU may not have come to listen yet."""
        try:
            return self.command('query-status')['status'] == 'running'
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def send(self, uri, end):
        """The machine leaves."""
        self.command('migrate', uri=uri)
        while True:
            status = self.command('query-migrate')
            if status.get('status') == 'completed':
                break
            if status.get('status') == 'failed' or time.monotonic() > end:
                raise AskError('migrate: ' + status.get('error-desc', 'slow'))
            time.sleep(0.1)

    def expect(self, uri, end):
        """It was started with "-incoming defer" and listens from now on."""
        while True:
            try:
                self.command('migrate-incoming', uri=uri)
                return
            except (FileNotFoundError, ConnectionRefusedError) as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AskError('the other QEMU does not start') from error
                time.sleep(0.05)

    def arrive(self, end):
        """The machine has come and runs."""
        while not self.runs():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AskError('the guest does not run on')
            time.sleep(0.05)

    def migrate(self):
        end = time.monotonic() + MIGRATE_LIMIT
        self.send('file:' + self.state, end)
        # What the guest wrote before it stopped is still in the pipe
        old = self.process
        self.command('quit')
        left = old.stdout.read()
        try:
            if old.wait(max(END_LIMIT, end - time.monotonic())):
                raise AskError('the old QEMU did not end well')
        except subprocess.TimeoutExpired as late:
            raise AskError('the old QEMU does not end') from late
        self.start('-incoming', 'file:' + self.state)
        self.arrive(end)
        return left

    def ask(self, words):
        """Do it and tell the guest. Return output of a QEMU that ended."""
        what, _, rest = words.partition(' ')
        left = b''
        try:
            if what == 'migrate':
                left = self.migrate()
            elif what == 'unplug':
                self.unplug(rest)
            elif what == 'offer':
                self.offer(*rest.split())
            elif what == 'error':
                self.error(*rest.split())
            elif what == 'extents':
                self.extents(*rest.split())
            elif what == 'plug':
                answer = self.monitor('device_add ' + self.device(rest))
                if answer:
                    raise AskError(answer.strip())
            else:
                raise AskError(f'{what}: unknown')
            reply = 'ok'
        except (AskError, OSError, TypeError, ValueError) as error:
            reply = 'error: ' + str(error)
        self.tell(reply)
        return reply, left

    def tell(self, words):
        """A line for the guest, if there is one."""
        if self.process.poll() is None:
            self.process.stdin.write((words + '\n').encode())
            self.process.stdin.flush()
