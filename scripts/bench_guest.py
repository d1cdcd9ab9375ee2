# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory and commands as a Linux guest sees them, ours and the base's."""

import os
import re
import statistics
import subprocess
import sys

from bench_table import rate, time_of

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
POOLD = 'qemu/tools/cxl-poold/cxl-poold'
# Boots of each machine, one after another in turn with the others
TURNS = 3

MEMORY = {
    'static': 'static',
    'dynamic': 'accepted extent',
    'head': "accepted extent of a daemon's pool",
    '2-ways-256': '2 ways of 256 bytes',
    '2-ways-1024': '2 ways of 1 KiB',
    '2-ways-4096': '2 ways of 4 KiB',
    '2-ways-16384': '2 ways of 16 KiB',
    '3-ways-256': '3 ways of 256 bytes',
    'absent': 'capacity that was not accepted',
}
# Bytes of a pass over memory, tests/guest/weigh.h
WEIGHED = 1 << 20
MEASURES = {
    'read': 'read',
    'write': 'written',
    'load': 'one load of a line',
}


def figure(what, ns):
    """Bandwidth, or a time."""
    return time_of(ns) if what == 'load' else f'{WEIGHED / ns * 1e3:,.0f} MB/s'


def speed(what, times):
    """Bandwidths have the inverse ratio of their times."""
    return times if what == 'load' else 1 / times


def boot(options, qemu, script, *more):
    """Figures of one guest, {name: value}."""
    done = subprocess.run(
        [sys.executable, os.path.join(TOP, 'scripts', script),
         '--qemu', qemu, '--kernel', os.path.join(TOP, 'build', 'bzImage'),
         '--init', os.path.join(options.build, 'own/tests/guest/guest-init'),
         *more],
        stdout=subprocess.PIPE, encoding='utf-8', check=False)
    found = {name: float(value) for name, value in
             re.findall(r'# figure: (\S+) (\S+)$', done.stdout, re.M)}
    accel = re.search(r'^# scenario \S+ under (\w+)', done.stdout, re.M)
    options.accel = accel.group(1) if accel else options.accel
    if done.returncode:
        print('== the guest did not do all of it:', file=sys.stderr)
        print('\n'.join(done.stdout.splitlines()[-12:]), file=sys.stderr)
    return found


def boots(options):
    """Medians for each kind of machine: {kind: {name: value}}."""
    single = ('run-guest.py', '--scenario', 'bench')
    # Linux clears as much memory for a command as the mailbox has payload
    # registers: as many as the base's
    mailbox = ('--dc-props', 'mailbox-payload=2K')
    pair = ('run-guest.py', '--scenario', 'bench-pair', '--pair')
    three = ('run-guest.py', '--scenario', 'bench-pair', '--bridges', '3',
             '--append', 'cxlthree=1')
    never = ('--dc-props', 'direct-ranges-max=0')
    head = ('run-pool.py', '--weigh',
            '--fm', os.path.join(options.build, 'own/tools/cxl-fm/cxl-fm'),
            '--poold', os.path.join(options.build, POOLD))
    options.accel = 'unknown'
    kinds = {'ours': (options.qemu, [single + mailbox + ('--i2c', '--usb'),
                                     pair, three, head]),
             'trapped': (options.qemu, [single + never, pair + never])}
    if options.base:
        kinds['base'] = (options.base, [single, pair])
    found = {kind: {} for kind in kinds}
    for _ in range(TURNS):
        for kind, (qemu, lines) in kinds.items():
            for line in lines:
                for name, value in boot(options, qemu, *line).items():
                    found[kind].setdefault(name, []).append(value)
    return {kind: {name: statistics.median(values)
                   for name, values in figures.items()}
            for kind, figures in found.items()}


def memory(options, table, found):
    for what, words in MEASURES.items():
        table.section(f'Guest memory under {options.accel}, {words}: against '
                      'plain memory of the same guest')
        for kind, title in (('ours', '{}'), ('trapped', '{}, always trapped'),
                            ('base', '{}, unmodified base')):
            for name, where in MEMORY.items():
                figures = found.get(kind, {})
                mine = figures.get(f'{name}-{what}')
                if mine is None or (kind == 'trapped' and name == 'absent'):
                    continue
                plain = figures[f'{name}-{what}-plain']
                table.add(title.format(where),
                          speed(what, figures[f'{name}-{what}-ratio']),
                          'this : plain', f'{figure(what, mine)}, plain '
                          f'{figure(what, plain)}')
        if 'base' not in found:
            continue
        # of the ratios: the two guests did not run at the same time
        table.section(f'The same, {words}: ours against the base')
        for name, where in MEMORY.items():
            ours, base = (found[kind].get(f'{name}-{what}-ratio')
                          for kind in ('ours', 'base'))
            if ours and base:
                table.add(where, speed(what, ours / base), 'ours : base', '')


def first_touch(options, table, ours):
    table.section(f'First touch of a page under {options.accel}')
    for name, where in MEMORY.items():
        mine, static = ours.get(f'{name}-touch'), ours.get('static-touch')
        if mine and static:
            table.add(where, mine / static, 'this : static', time_of(mine))


def commands(table, found):
    ours, base = found['ours'], found.get('base', {})
    table.section('Commands sent by that guest (4801h, 5603h: one extent)')
    for name in ('4000', '4801'):
        mine, other = ours.get(f'host-{name}'), base.get(f'host-{name}')
        if mine and other:
            table.add(f'{name}h, PCI mailbox, by ioctl', mine / other,
                      'ours : base', f'{rate(mine)}; base {rate(other)}')
        elif mine:
            table.add(f'{name}h, PCI mailbox, by ioctl', None, '', rate(mine))
    for transport, words in (('mailbox', 'PCI mailbox, by ioctl'),
                        ('i2c', 'MCTP over I2C'),
                        ('usb', 'MCTP over USB')):
        for name in ('5600', '5603'):
            mine = ours.get(f'{transport}-{name}')
            if mine:
                table.add(f'{name}h, {words}', mine / ours[f'mailbox-{name}'],
                          'this : mailbox', rate(mine))


def guest(options, table):
    print('== guests, two minutes', file=sys.stderr)
    found = boots(options)
    memory(options, table, found)
    first_touch(options, table, found['ours'])
    commands(table, found)
