#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux meets a device that lies: which fault makes it do what.

usage: lying.py [--kinds NAME,... | --random SEED --rounds N] [--over I2C|USB]
                [--table FILE] RUN-GUEST ARGUMENT...

Boots the guest, arms one fault after the other while it probes, lists, maps and
listens to the device, or while its MCTP reaches an endpoint over that, and tells
how each of them ended:

  survived     all steps work
  refused      a step fails, of MCTP: a program gets an error
  hung         a step does not end; the guest is booted anew
  oops         the kernel found a fault of its own; likewise
  not reached  nothing that Linux does here meets the fault

With --random, several faults at a time, any number of them, and nothing is
judged but that QEMU is there at the end.
"""

import argparse
import datetime
import importlib.util
import os
import random
import re
import sys
import tempfile
import textwrap

# What a kind needs, or what of a default would not be met
ARGUMENTS = {
    'answer-code': {'opcode': 0x4000},
    'answer-random': {'opcode': 0x4000},
    'answer-short': {'opcode': 0x4000},
    'answer-long': {'opcode': 0x4000},
    'answer-field': {'opcode': 0x4000, 'offset': 0x10, 'value': 3},
    'answer-length': {'opcode': 0x4000},
    'answer-never': {'opcode': 0x4000},
    'answer-late': {'opcode': 0x4000, 'delay': 1000},
    'cel-missing': {'value': 0x4300},
    'event-field': {'offset': 0x30, 'value': 0xffffffffffffffff, 'width': 8},
    'interrupt-spurious': {'vector': 4},
    'doe-data': {'value': 0x10000},
    # longer than Linux keeps a tag
    'packet-late': {'delay': 8000},
    'packet-reorder': {'when': 'every-nth', 'n': 2},
}
# More than faults after which a guest is of no use any more
BOOTS_MAX = 60
# Linux asks for these only when it finds a device
FOUND_ANEW = ('bar-small',)
# After one of these Linux lets a DOE mailbox alone for good
ENDS_DOE = ('doe-busy', 'doe-error', 'doe-never-ready', 'doe-data',
            'cdat-object-length')
# A table whose every fault is a boot would take hours; these are a few
FEW = ('answer-code', 'cel-odd', 'capability-offset', 'cdat-checksum',
       'hdm-commit-fails', 'events-swapped', 'interrupt-spurious')
BAD = re.compile(r'BUG:|Oops|WARNING:|general protection|KASAN|UBSAN|'
                 r'divide error|kernel BUG|soft lockup|hung_task|blocked for')
OURS = re.compile(r'cxl|pci|dax|acpi|DOE', re.I)
MEM = '/machine/peripheral/mem0'
# Where nothing of the kernel comes to lie
POISON = 128 << 20
# What programs beyond MCTP meet, by the link: its endpoint in the runner's
# machine, faults of its own kind of wire and those of any
ENDPOINT = {'I2C': ('/machine/peripheral/ep0', 'I2C frames'),
            'USB': ('/machine/peripheral/usb0', 'USB transfers')}
ANSWERS_OVER_MCTP = ('answer-opcode', 'answer-length', 'answer-late',
                     'answer-never')
# Of any command there; late is later than Linux keeps a tag
LINK_ARGUMENTS = {'answer-late': {'delay': 8000}}


def load(path):
    """run-guest.py, whose name is none of a module."""
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location('run_guest', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Reaction:
    """What came of one fault."""

    def __init__(self, kinds):
        self.kinds = kinds
        self.hits = 0
        self.ended = False
        self.steps, self.words, self.bad = {}, [], None
        self.client = ''

    def take(self, line):
        if line == '# runner: fault end':
            self.ended = True
        step = re.match(r'# step (.*): (\w+)$', line)
        said = re.match(r'# kernel <(\d)> (.*)', line)
        if line.startswith('# client ') and not self.ended:
            self.client = self.client or line[len('# client '):]
        if step and not self.ended:
            self.steps[step.group(1)] = step.group(2)
        elif said:
            level, text = int(said.group(1)), said.group(2)
            if BAD.search(text) and not self.bad:
                self.bad = text
            elif level <= 6 and OURS.search(text):
                self.words.append(text)

    def verdict(self):
        states = set(self.steps.values())
        if self.bad:
            return 'oops'
        if 'hangs' in states or not self.ended:
            return 'hung'
        if not self.hits:
            return 'not reached'
        return 'refused' if states - {'works'} else 'survived'

    @staticmethod
    def plain(text):
        """Without what differs from boot to boot."""
        text = re.sub(r'\b0000:[0-9a-f:.]+ ?|\b0x[0-9a-f]+', '', text)
        text = re.sub(r'\b(mem|endpoint|decoder|region|port|dax|pmem)\d+'
                      r'(\.\d+)*', r'\1N', text)
        return ' '.join(text.split())

    def message(self, usual=()):
        """Its first words that are not there without a fault."""
        if self.bad:
            return self.plain(self.bad)[:160]
        for text in map(self.plain, self.words):
            if text not in usual:
                return text[:160]
        return self.client

    def failed(self):
        return [name for name, state in self.steps.items()
                if state != 'works']


class Plan:
    """Faults that are still to be met, and reactions to the others."""

    def __init__(self, args):
        self.args = args
        self.path, wire = ENDPOINT.get(args.over, (MEM, None))
        self.places = ('MCTP packets', wire) if wire else ()
        self.kinds, self.all = None, None
        self.todo, self.done, self.now = None, [], None
        self.usual = None
        self.booted = True
        self.chance = random.Random(args.random)

    def begin(self, machine):
        self.all = machine.command('query-cxl-fault-kinds')
        self.kinds = [k for k in self.all if (
            k['place'] in self.places or k['kind'] in ANSWERS_OVER_MCTP
            if self.places else k['family'] != 'mctp')]
        names = [k['kind'] for k in self.kinds]
        if self.args.random is not None:
            self.todo = [None] * self.args.rounds
        else:
            wanted = (self.args.kinds or ','.join(names)).split(',')
            if wanted == ['few']:
                wanted = list(FEW)
            assert set(wanted) <= set(names), set(wanted) - set(names)
            self.todo = wanted

    def arm(self, machine, kind, **when):
        over_link = self.places and kind in ANSWERS_OVER_MCTP
        arguments = (LINK_ARGUMENTS if over_link else ARGUMENTS).get(kind, {})
        return machine.command('cxl-inject-fault', path=self.path, kind=kind,
                               **(arguments | when))

    def boot(self):
        """What a machine before this one had goes with it."""
        self.now, self.booted = None, True

    def start(self, machine):
        """Something to find on the device."""
        if not self.places:
            for start in (0, 4096):
                machine.command('cxl-inject-poison', path=MEM,
                                start=POISON + start, length=64)

    def next(self, machine):
        if self.todo is None:
            self.begin(machine)
        if self.booted:
            self.booted = False
            self.start(machine)
        if self.now and self.now.kinds[0] in ENDS_DOE:
            return False
        if self.usual is None:
            # one round with the truth: what is said anyway
            self.now, self.usual = Reaction(['none']), set()
            return True
        if not self.todo:
            return False
        kind = self.todo.pop(0)
        if kind:
            self.now = Reaction([kind])
            self.arm(machine, kind, count=0)
        else:
            some = self.chance.sample([k['kind'] for k in self.kinds
                                       if k['kind'] not in
                                       ('memory-inactive', 'memory-invalid',
                                        'mailbox-never-ready')],
                                      self.chance.randint(1, 6))
            self.now = Reaction(some)
            for one in some:
                self.arm(machine, one, when='probably',
                         probability=self.chance.randint(1, 50),
                         seed=self.chance.getrandbits(32))
        self.done.append(self.now)
        print('# fault ' + ' '.join(self.now.kinds), flush=True)
        return True

    def events(self, machine):
        for _ in range(2):
            machine.command('cxl-inject-general-media-event', **{
                'path': MEM, 'log': 'failure', 'flags': 1, 'dpa': 64,
                'descriptor': 1, 'type': 0, 'transaction-type': 1})
        for _ in range(2):
            machine.command('cxl-add-dynamic-capacity', **{
                'path': MEM, 'host-id': 0, 'region': 0,
                'selection-policy': 'free', 'length': 4096})

    def rescans(self, _):
        return self.now.kinds[0] in FOUND_ANEW

    def sanitizes(self, _):
        return self.now.kinds[0].startswith('background-')

    def spoilt(self, _):
        """No region can be made any more: there is another boot."""
        print('# spoilt by ' + ' '.join(self.now.kinds), flush=True)

    def end(self, machine):
        for fault in machine.command('query-cxl-faults'):
            self.now.hits += fault['hits']
        machine.command('cxl-clear-fault')

    def take(self, line):
        """The kernel's words come after the end of a round, then two steps."""
        if not self.now:
            return
        self.now.take(line)
        if self.now.kinds == ['none'] and self.now.ended:
            self.usual.update(map(Reaction.plain, self.now.words))


def lie(runner, plan):
    """Have the runner's machine and results go by the plan."""
    class Machine(runner.guest_qemu.Machine):
        """Asked for faults by its guest."""

        def ask(self, words):
            what, _, rest = words.partition(' ')
            if what != 'fault':
                return super().ask(words)
            reply = 'ok'
            try:
                if getattr(plan, rest)(self) is False:
                    reply = 'done'
            except runner.guest_qemu.AskError as error:
                reply = f'error: {error}'
            self.tell(reply)
            return reply, b''

    class Results(runner.Results):
        """Also read by the plan; what the kernel says is not shown."""

        def take(self, line, pid):
            plan.take(line)
            if re.match(r'(not )?ok\b|1\.\.', line):
                # of the guest's own count, which is not ours
                self.tests += 'ok' in line
                self.failed += line.startswith('not')
                if line.startswith('1..'):
                    self.plan = int(line[3:])
                if line.startswith('not'):
                    print('# ' + line, flush=True)
            elif not line.startswith('# kernel'):
                super().take(line, pid)

    runner.guest_qemu.Machine = Machine
    runner.Results = Results


def boot(runner, words):
    try:
        return runner.main(words)
    except SystemExit as end:
        return end.code


def kernel_version(console):
    with open(console, encoding='utf-8', errors='replace') as file:
        found = re.search(r'Linux version (\S+)', file.read())
    return found and found.group(1)


# Name, what QEMU tells of it, and its reaction: three cells
ROW = re.compile(r'^   \* - (``[\w-]+``.*)\n(?:     - .*\n){2}((?:     -.*\n){3})',
                 re.MULTILINE)


def read_table(path):
    """Rows that are there, by the fault: of those that are not met again."""
    try:
        with open(path, encoding='utf-8') as file:
            return dict(ROW.findall(file.read()))
    except FileNotFoundError:
        return {}


def all_rows(kinds):
    """Names of the table's rows, in their order, and the kind of each."""
    for kind in kinds:
        if kind['family'] != 'mctp':
            yield f'``{kind["kind"]}``', kind
    for over, (_, wire) in ENDPOINT.items():
        for kind in kinds:
            if kind['place'] in ('MCTP packets', wire) or \
               kind['kind'] in ANSWERS_OVER_MCTP:
                yield f'``{kind["kind"]}`` over {over}', kind


def cells(*texts):
    return ''.join(f'     - {text}'.rstrip() + '\n' for text in texts)


def write_table(plan, path, version):
    """Reactions as reStructuredText, by the families of faults."""
    rows = read_table(path)
    behind = f' over {plan.args.over}' if plan.args.over else ''
    for r in plan.done:
        said = r.message(plan.usual)
        rows[f'``{r.kinds[0]}``{behind}'] = cells(
            r.verdict(), ', '.join(r.failed()), f'``{said}``' if said else '')
    day = datetime.date.today().isoformat()
    with open(path, 'w', encoding='utf-8') as out:
        out.write(textwrap.dedent(f'''\
            ..
               SPDX-License-Identifier: GPL-2.0-or-later
               Made by `make check-lying`; do not edit.

            Linux {version}, {day}:

            .. list-table::
               :header-rows: 1

               * - fault
                 - what it does
                 - what the specification wants
                 - reaction
                 - steps that fail
                 - what the kernel says first
            '''))
        for name, kind in all_rows(plan.all):
            out.write(f'   * - {name}\n' +
                      cells(kind['does'], kind['specification']) +
                      rows.get(name, cells('not run', '', '')))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kinds', help='names, or "few"')
    parser.add_argument('--random', type=int, metavar='SEED')
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--over', choices=ENDPOINT)
    parser.add_argument('--table', metavar='FILE')
    parser.add_argument('runner')
    args, words = parser.parse_known_args()
    plan = Plan(args)
    runner = load(args.runner)
    lie(runner, plan)
    folder = tempfile.TemporaryDirectory(prefix='cxl-lying-')
    console = os.path.join(folder.name, 'console.log')
    words += ['--scenario', 'lying-mctp' if args.over else 'lying',
              '--console', console, '--limit', '3000', '--idle-limit', '300']
    if args.over:
        words += ['--' + args.over.lower()]
    else:
        words += ['--persistent', '--dc-props',
                  'dc0-block-size=4096,partitionable=on']
    boots, died, version = 0, False, 'unknown'
    while (plan.todo is None or plan.todo) and boots < BOOTS_MAX:
        boots += 1
        left = plan.todo and len(plan.todo)
        plan.boot()
        code = boot(runner, words)
        version = kernel_version(console) or version
        died |= code == runner.DIED and 'panic' not in open(
            console, encoding='utf-8', errors='replace').read()
        if plan.todo is None or len(plan.todo) == left:
            break
    number = 0
    for number, r in enumerate(plan.done, 1):
        said = r.message(plan.usual)
        print(f'ok {number} - {" ".join(r.kinds)}: {r.verdict()}'
              f'{": " + said if said else ""}')
    good = not died and not plan.todo and plan.todo is not None
    print(f'{"" if good else "not "}ok {number + 1} - every fault was met, and '
          'QEMU is there')
    print(f'1..{number + 1}')
    if args.table:
        write_table(plan, args.table, version)
    return not good


if __name__ == '__main__':
    sys.exit(main())
