# SPDX-License-Identifier: GPL-2.0-or-later
"""A story in two columns: a Fabric Manager on this machine gives a guest memory
and takes it back with cxl-fm, on the left; what the guest says is on the right.

Every command is shown as it is run. The guest (tests/guest/scenario-demo.c)
tells with "# host is ready" that it has dealt with all there was, and ends
when it is sent a line.
"""

import re
import shutil
import subprocess
import sys
import textwrap
import threading

# Seconds for one step of the FM and for the guest to react
LIMIT = 60
READY = '# host is ready'
SGR = re.compile('\x1b\\[[0-9;]*m')

DONE, NOT_DONE = 0, 5

LENT = '5be13bce-ae34-4a77-b6c3-16df975fcf1a'
CHOSEN = 'c0ffee00-cafe-4000-8000-000000000002'

# Title, then commands: the words, the status they end with, and whether the
# guest has something to do
STORY = [
    ('Who is there?', [
        ('identify', DONE, False),
        ('info', DONE, False),
        ('regions', DONE, False)]),
    ('64 MiB in one piece: the host takes all and uses it', [
        (f'add --policy contiguous --region 0 --size 64M --tag {LENT} '
         f'--wait {LIMIT}', DONE, True),
        ('map', DONE, False)]),
    ('Two extents by address: the host takes half of the first', [
        ('add --extent 0x2a000000+48M --extent 0x22000000+64M '
         f'--tag {CHOSEN} --wait {LIMIT}', NOT_DONE, True),
        ('map', DONE, False)]),
    ('128 MiB more: the host wants none', [
        (f'add --region 1 --size 128M --wait {LIMIT}', NOT_DONE, True)]),
    ('What the FM can read in its own log', [
        ('events', DONE, False),
        ('tags', DONE, False)]),
    ('All of it back: one tag by request, the other by force', [
        (f'release --tag {LENT} --sanitize --wait {LIMIT}', DONE, True),
        (f'release --tag {CHOSEN} --forced', DONE, True),
        ('events', DONE, False),
        ('extents', DONE, False),
        ('map', DONE, False)]),
]


class Columns:
    """Two columns; lines come in the order in which they are shown."""

    def __init__(self, out):
        self.out = out
        self.colour = out.isatty()
        total = shutil.get_terminal_size((80, 24)).columns
        total = min(max(total, 60), 160)
        self.left = (total - 3) * 11 // 20
        self.right = total - 3 - self.left
        self.lock = threading.Lock()

    def paint(self, text, code):
        return f'\x1b[{code}m{text}\x1b[0m' if self.colour else text

    def pieces(self, text, width):
        if len(SGR.sub('', text)) <= width:
            return [text]
        rest = text.lstrip()
        margin = text[:len(text) - len(rest)]
        return textwrap.wrap(rest, width, initial_indent=margin,
                             subsequent_indent=margin + '  ',
                             break_on_hyphens=False)

    def write(self, left, right):
        gap = ' ' * (self.left - len(SGR.sub('', left)))
        self.out.write(f'{left}{gap} | {right}'.rstrip() + '\n')
        self.out.flush()

    def fm(self, text, code=None):
        with self.lock:
            for piece in self.pieces(text, self.left):
                self.write(self.paint(piece, code) if code else piece, '')

    def guest(self, text):
        with self.lock:
            for piece in self.pieces(text, self.right):
                self.write('', piece)

    def title(self, text):
        with self.lock:
            self.write('', '')
            for piece in self.pieces('== ' + text, self.left):
                self.write(self.paint(piece, 1), '')


class Story:
    """Drives the FM in a thread of its own and shows both sides."""

    def __init__(self, program, url, tell_guest, out=sys.stdout):
        self.program = program
        self.url = url
        self.tell_guest = tell_guest
        self.columns = Columns(out)
        self.ready = threading.Condition()
        self.times = 0
        self.failed = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def take(self, line):
        """A line of the guest."""
        if line != READY:
            self.columns.guest(line)
            return
        with self.ready:
            self.times += 1
            self.ready.notify()
        if self.times == 1:
            self.thread.start()

    def step(self, words, status):
        line = [self.program, '--connect', self.url,
                '--color', 'always' if self.columns.colour else 'never']
        line += words.split()
        if words == 'map':
            line += ['--width', str(self.columns.left - 2)]
        self.columns.fm('$ cxl-fm ' + words, 36)
        with subprocess.Popen(line, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            for text in process.stdout:
                self.columns.fm(text.decode(errors='replace').rstrip())
            code = process.wait()
        if code != status:
            raise RuntimeError(f'cxl-fm {words}: status {code}, '
                               f'not {status}')

    def play(self):
        self.columns.title('The Fabric Manager, on the host')
        self.columns.fm(f'$ export CXL_FM={self.url}', 36)
        for title, steps in STORY:
            self.columns.title(title)
            for words, status, concerns_guest in steps:
                before = self.times
                self.step(words, status)
                with self.ready:
                    if concerns_guest and not self.ready.wait_for(
                            lambda seen=before: self.times > seen, LIMIT):
                        raise RuntimeError('the guest does not react')

    def run(self):
        try:
            self.play()
        except (OSError, RuntimeError) as error:
            self.failed = str(error)
        self.tell_guest()
