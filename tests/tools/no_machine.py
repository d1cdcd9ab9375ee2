# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU without a machine, which is asked about its types and commands."""

import json
import subprocess


class Monitor:
    """QMP over the standard streams of a machine without devices."""

    def __init__(self, qemu):
        self.process = subprocess.Popen(
            [qemu, '-M', 'none', '-nodefaults', '-display', 'none',
             '-accel', 'qtest', '-qmp', 'stdio'], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.ask('qmp_capabilities')

    def ask(self, command, **arguments):
        self.process.stdin.write(json.dumps(
            {'execute': command, 'arguments': arguments}) + '\n')
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if 'error' in answer:
            raise RuntimeError(f'{command} {arguments}: {answer["error"]}')
        return answer['return']

    def end(self):
        self.process.communicate('{"execute": "quit"}')
