#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that hangs tells where: its processors, its tasks, and QEMU itself.

usage: test-hang.py RUN-GUEST QEMU KERNEL INIT
"""

import importlib.util
import os
import re
import select
import signal
import sys
import tempfile
import threading

# Seconds until the guest is up, on a busy machine
PATIENCE = 300
# ... and reports, each of more than a second, until it is where it will stay
LOOKS = 20
READS = r'^guest: task init/1 S: .*\btty_read\b'
PAUSES = r'^guest: task init/1 S: .*\b\w*pause\b'


def load_runner(path):
    """run-guest.py, whose name is none of a module."""
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location('run_guest', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(runner, machine, kernel, console, wanted=''):
    """What is told. The guest may take its time to get to @wanted."""
    for _ in range(LOOKS):
        lines = []
        runner.guest_hang.report(machine, kernel, console, lines.append)
        for line in lines:
            print('# ' + line, flush=True)
        text = '\n'.join(lines)
        if re.search(wanted, text, re.M):
            break
    return text


def checks(runner, machine, kernel, console):
    """Yield whether it is so, and what."""
    stream = machine.process.stdout
    up = threading.Timer(PATIENCE, machine.process.kill)
    up.start()
    yield (stream.readline().rstrip() == b'# runner: wait',
           'the guest comes up')
    text = told(runner, machine, kernel, console, READS)
    yield 'VM status: running' in text, 'QEMU tells its state'
    for cpu in range(2):
        yield (re.search(rf'^qemu: cpu {cpu}: RIP=[0-9a-f]+ \(\w+\+0x\w+\) '
                         'RFL=[0-9a-f]+ HLT=[01]', text, re.M),
               f'QEMU tells where processor {cpu} is')
        yield (re.search(rf'^guest: cpu {cpu}: ', text, re.M),
               f'the kernel tells what processor {cpu} does')
    yield (re.search(READS, text, re.M),
           'the kernel tells what the process waits for')
    yield 'said more' not in text, 'a guest that still waits is told as such'
    machine.tell('ok')
    select.select([stream], [], [])
    up.cancel()
    text = told(runner, machine, kernel, console, PAUSES)
    yield (re.search(PAUSES, text, re.M),
           'the kernel tells what the process waits for next')
    yield 'said more' in text, 'a guest that goes on is told as such'
    # deaf to the monitor, but with threads to look at
    machine.process.send_signal(signal.SIGSTOP)
    text = told(runner, machine, kernel, console)
    yield ('the monitor does not answer' in text,
           'a QEMU that does not answer is named')
    yield (len(re.findall(r'^qemu: thread \d+.*: \S', text, re.M)) > 2,
           'its threads are shown')
    # ... by gdb, if there is one that may
    rows = list(runner.guest_hang.kernel_threads(machine.process.pid))
    yield len(rows) > 2, 'its threads are known to the kernel'


def main():
    path, qemu, kernel, init = sys.argv[1:]
    runner = load_runner(path)
    bad = number = 0
    print('TAP version 13')
    with tempfile.TemporaryDirectory(prefix='hang-test-') as folder:
        console, initramfs = (os.path.join(folder, name)
                              for name in ('console.log', 'initramfs'))
        runner.make_initramfs(initramfs, init, [])
        args = runner.parse(['--qemu', qemu, '--kernel', kernel,
                             '--init', init, '--scenario', 'hang'])
        machine = runner.guest_qemu.Machine(
            runner.command_line(args, 'tcg', initramfs, console), folder)
        machine.start()
        try:
            for good, name in checks(runner, machine, kernel, console):
                number += 1
                bad += not good
                print(f"{'' if good else 'not '}ok {number} - {name}",
                      flush=True)
        finally:
            machine.process.kill()
            machine.process.wait()
        for text in machine.words():
            print('# qemu: ' + text)
    print(f'1..{number}')
    return bad != 0


if __name__ == '__main__':
    sys.exit(main())
