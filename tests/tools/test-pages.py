#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What README, docs/ and the manual page show can be typed as it stands.

Each block of a page is run: command lines of QEMU start, parts of one with
what they refer to; sessions of cxl-fm and of the monitor go to the machine
that the page started last, with a host that answers, and say what the page
says. A block of another kind must be named in pages.toml.

usage: test-pages.py QEMU CXL-FM TREE [PAGE[:LINE]]
"""

import fnmatch
import glob
import importlib
import json
import os
import re
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import time
import tomllib

qemu, program, tree, *only = sys.argv[1:]
qemu, program = map(os.path.abspath, (qemu, program))
sys.path.insert(0, os.path.join(tree, 'scripts'))

# pylint: disable=wrong-import-position
import guest_qemu
import pages
from cases import Skip, main, named
from fm_machine import PATIENCE, Machine
from qmp_monitor import Monitor, step

HERE = os.path.dirname(os.path.realpath(__file__))
with open(os.path.join(HERE, 'pages.toml'), 'rb') as table:
    TABLE = tomllib.load(table)
NOT_RUN = {**TABLE['blocks'],
           **{first: 'pages-guest.py types it in' for first, row in
              TABLE['guest'].items() if not row.get('outside')}}


def same(shown, got):
    """Does the output say this? "..." stands for anything."""
    wanted = r'\s+'.join('.*' if word == '...' else re.escape(word)
                         for word in shown.split())
    if not re.search(wanted, ' '.join(got.split()), re.DOTALL):
        raise AssertionError(f'the page says:\n{shown}\nit is:\n{got}')


# -- files that a reader has --------------------------------------------------

def kernel():
    """What passes for a Linux image, protocol 2.12."""
    image = bytearray(4096)
    struct.pack_into('<BxxxxxxxxxxxxxHxI', image, 0x1f1, 1, 0xaa55, 0)
    image[0x202:0x206] = b'HdrS'
    struct.pack_into('<H', image, 0x206, 0x20c)
    image[0x211] = 1
    struct.pack_into('<I', image, 0x22c, 0x7fffffff)
    return bytes(image)


def disk():
    """An empty qcow2 image of 1 MiB."""
    cluster = 1 << 16
    image = bytearray(4 * cluster)
    struct.pack_into('>4sIQIIQIIQQII', image, 0, b'QFI\xfb', 2, 0, 0, 16,
                     1 << 20, 0, 1, 3 * cluster, cluster, 1, 0)
    struct.pack_into('>Q', image, cluster, 2 * cluster)
    struct.pack_into('>4H', image, 2 * cluster, 1, 1, 1, 1)
    return bytes(image)


def files_of(line, folder):
    for option, value in zip(line, line[1:]):
        file = re.match(r'file=([^,]+)', value)
        if option in ('-kernel', '-initrd'):
            name, data = value, kernel()
        elif option == '-drive' and file:
            name, data = file[1], disk()
        else:
            continue
        with open(os.path.join(folder, name), 'wb') as out:
            out.write(data)


def listeners_of(line):
    """The other ends of sockets that the line connects to."""
    for value in line:
        path = re.search(r'^socket,(?!.*server=on).*path=([^,]+)', value)
        if path:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path[1])
            listener.listen()
            yield listener


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


# -- a page -----------------------------------------------------------------

class Page:
    """What the blocks of a page leave to the next one."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='cxl-page-')
        self.line = None
        self.machine = None
        self.monitor = None
        self.said = []
        self.qmp_url = ''

    def close(self):
        self.stop()
        self.folder.cleanup()

    def stop(self):
        machine, self.machine = self.machine, None
        if machine:
            self.monitor.close()
            machine.__exit__()

    # -- command lines --------------------------------------------------------

    def qemu(self, text):
        self.stop()
        line = [re.sub(r'\b7810\b', lambda _: free_port(), word)
                for word in pages.complete(text.replace(
                    '/tmp/', self.folder.name + '/'), self.line)]
        files_of(line, self.folder.name)
        listeners = list(listeners_of(line))
        sockets = tempfile.TemporaryDirectory(prefix='cxl-page-')
        with sockets:
            machine = guest_qemu.Machine([qemu, *line], sockets.name)
            # where a reader would be; and nothing of his line is changed
            os.chdir(self.folder.name)
            machine.start('-S', *([] if '-nographic' in line else
                                  ['-display', 'none']))
            os.chdir('/')
            self.look(machine, line)
        for listener in listeners:
            listener.close()
        self.line = line

    def look(self, machine, line):
        try:
            end = time.monotonic() + PATIENCE
            names = None
            while names is None:
                try:
                    names = {row['name'] for row in machine.command(
                        'qom-list', path='/machine/peripheral')}
                except (OSError, guest_qemu.AskError):
                    if machine.process.poll() is not None or \
                       time.monotonic() > end:
                        raise AssertionError('\n'.join(
                            ['it does not start:', *machine.words()])) from None
                    time.sleep(0.02)
            machine.command('quit')
            machine.process.wait(PATIENCE)
        finally:
            machine.stop()
        devices = [value for option, value in zip(line, line[1:])
                   if option == '-device']
        missing = set(pages.ids(devices)) - names
        if missing:
            raise AssertionError(f'{missing} are missing')
        said = [row for row in machine.words() if 'kvm' not in row.lower()]
        if said:
            raise AssertionError('it says: ' + '\n'.join(said))

    # -- sessions -----------------------------------------------------------

    def run(self):
        """The page's machine, with an endpoint for cxl-fm."""
        if self.machine:
            return self.machine
        line = self.line or pages.complete(
            '... -device cxl-type3,id=mem0,...', None)
        words = ' '.join(line)
        # an accelerator of its own, whose only processor is the test
        line = [word for at, word in enumerate(line)
                if word not in ('-accel', '-nographic') and
                line[at - 1] != '-accel']
        url = re.search(r'path=([^,]+),server=on\S* '
                        r'-device mctp-serial-cxl', words)
        self.machine = Machine(
            qemu, line=line, links=(), cwd=self.folder.name,
            bus=[bus for bus in map(int, re.findall(r'bus_nr=(\d+)', words))
                 if bus != pages.OTHER_BUS][0],
            args=[] if url else shlex.split(
                '-chardev socket,server=on,wait=off,id=stock,path='
                f'{self.folder.name}/stock -device mctp-serial-cxl,'
                'chardev=stock,target=' + re.search(
                    r'cxl-type3\S*\bid=([^, ]+)', words)[1]))
        self.url = 'unix:' + (url[1] if url else self.folder.name + '/stock')
        self.monitor = Monitor(self.machine.path('qmp'))
        return self.machine

    def shell(self):
        """The machine of `make shell`."""
        self.stop()
        runner = importlib.import_module('run-guest')
        self.line = runner.machine_args(runner.parse(
            '--qemu Q --kernel K --init I --scenario shell --i2c'.split()))

    def fm(self, line):
        machine = self.run()
        # the guest's network is not there, and one does not wait for ever
        line = re.sub(r'--connect \S+', '', line)
        line = re.sub(r'\bwatch\b', 'watch --for 1', line)
        waits = '--wait' in line and not machine.agent
        if waits:
            machine.start_host()
        done = subprocess.run(
            ['bash', '-c', 'set -o pipefail; ' + line], timeout=PATIENCE,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
            cwd=self.folder.name, env={
                **os.environ, 'CXL_FM': self.url,
                'CXL_FM_QMP': self.qmp_url, 'PATH':
                os.path.dirname(program) + ':' + os.environ['PATH']})
        if waits:
            machine.stop_host()
        self.said.append(done.stdout)
        if done.returncode:
            raise AssertionError(f'{line}: status {done.returncode}\n'
                                 f'{done.stdout}')

    def exported(self, path):
        """A socket that the page has made, or `make shell`."""
        path = path and path.replace('/tmp/', self.folder.name + '/')
        if path not in (None, 'build/fm.sock') and \
           f'path={path},' not in ' '.join(self.line or []):
            raise AssertionError(f'nothing listens at {path}')

    def exported_qmp(self, url):
        """A monitor that the page has made, beside the one of this test."""
        if f'-qmp {url},' not in ' '.join(self.line or []):
            raise AssertionError(f'no monitor is at {url}')
        self.qmp_url = url

    def command(self, line):
        word = line.split()[0]
        if pages.is_qemu(line) or pages.is_part(line):
            self.qemu(line)
        elif word == 'export' and 'CXL_FM_QMP=' in line:
            self.exported_qmp(line.split('CXL_FM_QMP=')[1])
        elif word == 'export':
            path = re.search(r'CXL_FM=unix:(\S+)', line)
            self.exported(path and path[1])
        elif word == 'cxl-fm':
            self.fm(line)
        elif word == 'mctp-up':
            self.shell()
        elif word == 'cxl-dc-host':
            policy = re.search(r'accept|part|refuse|linux', line)[0]
            policy = 'accept' if policy == 'linux' else policy
            if line.endswith('&'):
                self.run().start_host(policy)
            else:
                self.run().host(policy)
        else:
            raise AssertionError(f'what is "{line}"?')

    def prompts(self, text):
        """Commands behind a prompt, and what they say."""
        for prompt, line, shown in re.findall(
                r'^(\$|\(qemu\)) (.*)\n((?:(?!\$ |\(qemu\) ).*(?:\n|$))*)',
                text + '\n', re.MULTILINE):
            if prompt == '$':
                try:
                    self.fm(line)
                except AssertionError:
                    # the page may show an error
                    if not shown.startswith('cxl-fm '):
                        raise
            else:
                self.run()
                self.said.append(self.monitor.monitor(line))
            same(shown, self.said[-1])

    def qmp(self, text):
        """Commands, their answers and events."""
        rest = re.sub(r',\s*\.\.\.(?=\s*[\]}])', '', text)
        answer = None
        while rest := re.sub(r'^\s*(->|<-)?\s*', '', rest):
            what, end = json.JSONDecoder().raw_decode(rest)
            rest = rest[end:]
            if 'execute' in what:
                machine = self.run()
                answer = self.monitor.command(what['execute'],
                                              **what.get('arguments', {}))
                machine.host()
            elif 'return' in what:
                self.holds(what['return'], answer)
            else:
                what.pop('timestamp', None)
                self.event(what)

    def event(self, wanted):
        while not any(holds(event, wanted) for event in self.monitor.events):
            try:
                self.monitor.receive()
            except TimeoutError:
                raise AssertionError('\n'.join(map(str, [
                    'no event', wanted, 'but:', *self.monitor.events]))) \
                    from None

    def holds(self, shown, got):
        if not holds(got, shown):
            raise AssertionError(f'the page says:\n{shown}\nit is:\n{got}')


def holds(got, wanted):
    """Is all of @wanted in @got?"""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(
            key in got and holds(got[key], value)
            for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(got) == len(wanted) and \
            all(map(holds, got, wanted))
    return got == wanted


# -- commands of this tree --------------------------------------------------

def build(line):
    """A target, script or option that exists."""
    words = shlex.split(line)
    with open(os.path.join(tree, 'Makefile'), encoding='utf-8') as file:
        targets = set(re.findall(r'^([a-z0-9-]+(?: [a-z0-9-]+)*):', file.read(),
                                 re.MULTILINE))
    targets = {name for names in targets for name in names.split()}
    if words[0] == 'make':
        bad = [word for word in words[1:]
               if '=' not in word and word not in targets]
    elif words[0] == './configure':
        usage = subprocess.run([os.path.join(tree, 'configure'), '--help'],
                               stdout=subprocess.PIPE, text=True, check=True)
        bad = [word for word in words[1:]
               if word.split('=')[0] not in usage.stdout]
    else:
        # the base's own scripts, beside the folder of the build
        base = os.path.join(os.path.dirname(qemu), '../src')
        bad = [word for word in words if
               word.startswith(('scripts/', 'build/src/')) and
               not os.path.exists(os.path.join(tree, word)) and
               not os.path.exists(os.path.join(base, word[len('build/src/'):]))]
    if bad:
        raise AssertionError(f'{line}: there is no {bad}')


BUILD = re.compile(r'make\b|\./configure|scripts/|ninja|build[a-z-]*/(?!qemu/'
                   r'qemu-system)|mkdir')


GLOBAL = re.compile(r'-global ([\w-]+)\.([\w-]+)=')
FILE = re.compile(r'(docs|hw|include|scripts|tests|tools)/[\w./-]*')
TRACE = re.compile(r"-trace '?([\w*]+)")


def listed(*words):
    """What QEMU says when it is asked for help."""
    return subprocess.run([qemu, *words], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.split()


def inline(path):
    """Files, make's targets, trace events and properties that a page names in
    its sentences."""
    events = listed('-trace', 'help')
    source = os.path.join(os.path.dirname(qemu), '../src')
    for words in pages.inline(tree, path):
        if re.match(r'make [a-z]', words):
            build(words)
        file = FILE.match(words)
        # ours, or the base's
        if file and not any(glob.glob(os.path.join(top, file[0] + '*'))
                            for top in (tree, source)):
            raise AssertionError(f'there is no {file[0]}')
        for name in TRACE.findall(words):
            if not fnmatch.filter(events, name):
                raise AssertionError(f'no trace event {name}')
        for driver, name in GLOBAL.findall(words):
            if not any(word.startswith(name + '=') for word in
                       listed('-device', driver + ',help')):
                raise AssertionError(f'{driver} has no property {name}')


def not_run(block):
    return [first for first in NOT_RUN if pages.begins(block, first)]


def prepare(page, block):
    """What a page does not say, because it shows the end only."""
    for row in TABLE['before']:
        if re.search(row['event'], block.text):
            page.qemu(row['line'])
            for words in row['steps']:
                step(page.run(), page.monitor, words)


def run(page, block):
    first = block.text.split('\n')[0]
    if block.page.startswith('qapi'):
        prepare(page, block)
    if re.match(r'\$ |\(qemu\) ', first):
        page.prompts(block.text)
    elif re.match(r'(?:->|<-)?\s*\{', first):
        page.qmp(block.text)
    elif re.match(r'region \d+ at 0x', first):
        same(block.text, '\n'.join(said for said in page.said
                                  if said.startswith('region')))
    else:
        for line in pages.commands(block.text):
            if BUILD.match(line):
                build(line)
            else:
                page.command(line)


def run_block(page, block):
    for why in not_run(block):
        raise Skip(NOT_RUN[why])
    run(page, block)


def end(page, path):
    page.close()
    inline(path)


def each_row_names_a_block(every):
    rows = {**NOT_RUN, **TABLE['guest']}
    same(' '.join(rows), ' '.join(
        first for first in rows if any(pages.begins(block, first)
                                       for block in every)))


def add_cases():
    every = []
    for path, blocks in pages.pages(tree):
        page = Page()
        for block in blocks:
            if not only or f'{path}:{block.line}'.startswith(only[0]):
                named(f'{path}:{block.line}', run_block, page, block)
        named(f'{path}: what its sentences name', end, page, path)
        every += blocks
    named('each row of pages.toml names a block', each_row_names_a_block,
          every)


add_cases()
main()
