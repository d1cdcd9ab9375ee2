# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a guest hangs: what QEMU, its processors and the guest's kernel say.

QEMU is asked over QMP for its state and, twice, where the processors are. Then
keys (SysRq, for which tests/guest/kernel.config cares) make the kernel write
what its processors and tasks do; the console has it at length, here every
stack becomes a line. Of a QEMU that does not answer, or whose guest does not, the threads
are shown, by gdb where there is one.
"""

import bisect
import os
import re
import select
import shutil
import subprocess
import time

import guest_qemu

# Seconds for QEMU to answer, which it does at once unless it hangs itself
ANSWER_LIMIT = 10
# Seconds between two looks at the processors
LOOK_AGAIN = 1
# Seconds for the kernel to go on with its answer, half a second of work
KEY_LIMIT = 20
# What it is asked by keys, and how the answer begins; the end of an answer is
# the beginning of the next. The last one would say nothing new.
KEYS = [('l', 'sysrq: Show backtrace'), ('t', 'sysrq: Show State'),
        ('w', 'sysrq: Show Blocked')]
# Seconds for gdb, which reads QEMU's symbols
GDB_LIMIT = 40
# Stack frames and lines of each kind, so that the end of a log has them all
FRAMES = 9
LINES = 12

# What every task begins or ends with
COMMON = {'__schedule', 'schedule', 'schedule_timeout', 'do_syscall_64',
          'entry_SYSCALL_64_after_hwframe', 'kthread', 'ret_from_fork',
          'ret_from_fork_asm', 'qemu_thread_start', 'start_thread', 'clone3'}
# A thread of the kernel with no more frames than these waits for work
WAITS = 2


class Symbols:
    """Names of the kernel's addresses, which scripts/kernel.sh keeps."""

    def __init__(self, kernel):
        path = os.path.join(os.path.dirname(os.path.realpath(kernel)),
                            'System.map')
        self.rows = []
        if os.path.isfile(path):
            with open(path, encoding='ascii') as file:
                self.rows = sorted((int(row[0], 16), row[2]) for row in
                                   map(str.split, file) if row[1] in 'tTwW')

    def name(self, address):
        """" (function+offset)", or nothing for what is not the kernel's."""
        at = bisect.bisect(self.rows, (address + 1,)) - 1
        if at < 0 or not self.rows:
            return ''
        start, name = self.rows[at]
        return f' ({name}+{address - start:#x})'


def registers(text, symbols):
    """Where each processor is, from `info registers -a`."""
    found = {}
    for cpu in re.split(r'^CPU#', text, flags=re.M)[1:]:
        values = dict(re.findall(r'\b[ER]?(IP|FL|HLT)=([0-9a-f]+)', cpu))
        where = values.get('IP', '0')
        found[int(cpu.split()[0])] = (
            f"RIP={where}{symbols.name(int(where, 16))} "
            f"RFL={values.get('FL')} HLT={values.get('HLT')}")
    return found


def frames(lines, sysrq):
    """Functions of a stack as Linux writes it; not those of the keys."""
    out = []
    interrupt = False
    for line in lines:
        if '<IRQ>' in line or '</IRQ>' in line:
            interrupt = sysrq and '</IRQ>' not in line
        match = re.match(r'(?:RIP: 0010:| )(?!\? )([\w.]+)\+0x', line)
        if match and not interrupt and match.group(1) not in COMMON:
            out.append(match.group(1))
    return out


def stack(functions):
    if 'do_idle' in functions:
        return 'idle'
    return ' < '.join(functions[:FRAMES]) or 'user code'


def blocks(text, start):
    """Pieces that begin with a line that matches @start."""
    out = []
    for line in text.splitlines():
        if re.match(start, line):
            out.append([])
        if out:
            out[-1].append(line)
    return out


def processors(text):
    """What Linux says of its processors (SysRq l)."""
    for block in blocks(text, 'NMI backtrace for cpu '):
        cpu, _, rest = block[0][len('NMI backtrace for cpu '):].partition(' ')
        name = re.search(r'Comm: (\S+)', '\n'.join(block[1:3]))
        sysrq = any('__handle_sysrq' in line for line in block)
        yield f'cpu {cpu}: ' + (
            rest or (f'{name.group(1)}: ' if name else '') +
            stack(frames(block, sysrq)))


def tasks(text):
    """What tasks do that do not merely wait for work (SysRq t)."""
    text, _, queues = text.partition('Showing busy workqueues')
    for block in blocks(text, 'task:'):
        match = re.match(r'task:(.*?)\s+state:(\S+) .*?\bpid:(\d+)\s.*'
                         r'\bppid:(\d+)', block[0])
        if not match:
            continue
        name, state, pid, parent = match.groups()
        end = next((at for at, line in enumerate(block)
                    if '</TASK>' in line), len(block))
        functions = frames(block[:end], False)
        if '2' in (pid, parent) and state[0] in 'SI' and \
           len(functions) <= WAITS:
            continue
        yield f'task {name}/{pid} {state}: {stack(functions)}'
    for line in queues.splitlines()[1:]:
        if line.strip():
            yield line.strip()


class Console:
    """What the guest's kernel writes."""

    def __init__(self, path):
        self.path = path

    def size(self):
        try:
            return os.path.getsize(self.path)
        except OSError:
            return 0

    def text(self, start):
        with open(self.path, 'rb') as file:
            file.seek(start)
            return file.read().decode(errors='replace').replace('\r', '')

    def wait(self, start, words):
        """Until it wrote @words behind @start, or nothing for long."""
        last = time.monotonic()
        size = start
        while words not in self.text(start):
            now = time.monotonic()
            if self.size() != size:
                size, last = self.size(), now
            if now - last > KEY_LIMIT:
                return False
            time.sleep(0.1)
        return True


def few(lines, say):
    lines = list(lines)
    for line in lines[:LINES]:
        say(line)
    if len(lines) > LINES:
        say(f'and {len(lines) - LINES} more')


def gdb_threads(pid):
    """One line for each thread, or none if gdb does not get at them."""
    if not shutil.which('gdb'):
        return
    try:
        text = subprocess.run(
            ['gdb', '-nx', '-batch', '-iex', 'set debuginfod enabled off',
             '-p', str(pid), '-ex', 'thread apply all bt 20'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=GDB_LIMIT,
            check=False).stdout.decode(errors='replace')
    except (OSError, subprocess.TimeoutExpired):
        return
    for block in blocks(text, r'Thread \d+ \('):
        out = []
        for line in block[1:]:
            match = re.match(r'#\d+ +(?:0x[0-9a-f]+ in )?(\S+) \(.*?'
                             r'(?: at (?:\.\./src\S*/([\w.-]+:\d+)|\S+))?$',
                             line)
            if match and not (out and (match.group(1) in COMMON or
                                       match.group(1).startswith('__'))):
                out.append(match.group(1) +
                           (f' {match.group(2)}' if match.group(2) else ''))
        yield block[0].split(' (')[0].lower() + ': ' + stack(out)


def kernel_threads(pid):
    """One line for each thread, from what the host's kernel tells."""
    def read(folder, name):
        try:
            with open(os.path.join(folder, name), encoding='ascii') as file:
                return file.read().strip()
        except (OSError, ValueError):
            return ''

    folder = f'/proc/{pid}/task'
    for thread in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        where = os.path.join(folder, thread)
        state = re.search(r'State:\s+(\S)', read(where, 'status'))
        functions = re.findall(r'\] ([\w.]+)\+', read(where, 'stack'))
        yield (f"thread {thread} {read(where, 'comm')} "
               f"{state.group(1) if state else '?'}: " +
               (' < '.join(functions[:FRAMES]) or
                read(where, 'wchan') or '?'))


def threads(machine, say):
    pid = machine.process.pid
    few(list(gdb_threads(pid)) or kernel_threads(pid),
        lambda line: say('qemu: ' + line))


def ask_kernel(machine, console, say):
    """By keys. Return whether it answered."""
    start = console.size()
    for key, words in KEYS:
        machine.monitor('sendkey alt-sysrq-' + key)
        if not console.wait(start, words):
            say(f'guest: the kernel does not answer to SysRq {key}')
            break
    text = console.text(start)
    if KEYS[0][1] not in text:
        return False
    cpus, _, rest = text.partition(KEYS[1][1])
    few(processors(cpus), lambda line: say('guest: ' + line))
    few(tasks(rest.partition(KEYS[2][1])[0]),
        lambda line: say('guest: ' + line))
    return True


def report(machine, kernel, console, say):
    """Say where a machine hangs that still runs."""
    if machine.process.poll() is not None:
        say('qemu: has ended')
        return
    machine.patience = ANSWER_LIMIT
    try:
        status = machine.monitor('info status').strip()
        say('qemu: ' + status)
        symbols = Symbols(kernel)
        looks = []
        for wait in (0, LOOK_AGAIN):
            time.sleep(wait)
            looks.append(registers(machine.monitor('info registers -a'),
                                   symbols))
        for cpu, first in looks[0].items():
            second = looks[1].get(cpu)
            say(f'qemu: cpu {cpu}: {first}, ' +
                ('and the same again' if first == second else
                 f'then {second}'))
        log = Console(console)
        if 'running' in status and log.size() and \
           ask_kernel(machine, log, say):
            # as when a processor slept that nobody had woken up
            if select.select([machine.process.stdout], [], [], 0)[0]:
                say('guest: has said more since it was asked')
            return
    except (OSError, ValueError, guest_qemu.AskError) as error:
        say('qemu: the monitor does not answer' +
            (f' within {ANSWER_LIMIT} s' if isinstance(error, TimeoutError)
             else f': {error}'))
    threads(machine, say)
