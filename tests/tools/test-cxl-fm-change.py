#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Verbs of cxl-fm that add, release and set up, against a running machine.

usage: see fm_cases.py
"""

import json
import sys

from fm_cases import DONE, NOT_DONE, OTHER, TAG, case, equal, has, one, run
from fm_machine import BLOCK, MIB, PATIENCE


# -- adding -------------------------------------------------------------------

@case
def add_offers_by_every_policy():
    m, fm = one('dc1-sharable=on')
    with m:
        has(fm.text('add', '--size', '4M', '--tag', TAG),
            f'^host 0 is offered 4 MiB with tag {TAG}$')
        m.host()
        done = fm.json('add', '--policy', 'contiguous', '--region', '1',
                       '--size', '0x200000', '--tag', OTHER)
        equal(done['done'], 'offered')
        equal((done['policy'], done['size'], done['tag'], done['host']),
              ('contiguous', BLOCK, OTHER, 0))
        m.host()
        has(fm.text('add', '--policy', 'prescriptive', '--extent',
                    '0x18000000+2M', '--extent', '0x19000000+2M:abcd'),
            '^host 0 is offered 2 extents, 4 MiB$')
        m.host()
        tags = [e['tag'] for e in fm.json('extents')['extents']]
        equal(sorted(tags, key=str), sorted(
            [TAG, OTHER, None, 'abcd0000-0000-0000-0000-000000000000'],
            key=str))
        # an invented tag is told and is a real one
        told = fm.json('add', '--size', '2M', '--tag', 'new')['tag']
        has(told, '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]')


@case
def add_shares_what_has_a_tag():
    m, fm = one('dc1-sharable=on')
    with m:
        fm.text('add', '--region', '1', '--size', '4M', '--tag', TAG)
        m.host()
        fm.text('reference', 'add', TAG)
        fm.text('release', '--tag', TAG)
        m.host()
        equal(fm.json('extents')['extents'], [])
        has(fm.text('tags'), 'kept by the FM alone')
        fm.text('add', '--policy', 'shared', '--region', '1', '--tag', TAG)
        m.host()
        equal(sum(e['length'] for e in fm.json('extents')['extents']), 4 * MIB)


@case
def extents_of_shared_capacity_are_numbered():
    m, fm = one('dc1-sharable=on')
    with m:
        words = []
        for at in (0x20000000, 0x21000000, 0x22000000):
            words += ['--extent', f'{at:#x}+2M']
        fm.text('add', '--tag', TAG, *words)
        m.host()
        equal([e['sequence'] for e in fm.json('extents')['extents']],
              [0, 1, 2])
        has(fm.text('extents'), ', sequence 2$')


@case
def add_explains_every_refusal():
    m, fm = one('dc-extents-max=4,dc-tags-max=2,dc-event-log-depth=3,'
                'dc1-sharable=on')
    with m:
        def add(code, pattern, *words):
            has(fm.refused(code, 'add', *words), pattern)

        add(0x02, 'no such host', '--size', '2M', '--host', '3')
        add(0x02, 'region', '--size', '2M', '--region', '7')
        add(0x02, "multiple of the region's blocks", '--size', '1M')
        add(0x02, 'size', '--size', '0')
        add(0x02, 'shared capacity', '--policy', 'shared', '--region', '1',
            '--tag', OTHER)
        add(0x1d, 'not enough capacity', '--size', '512M')
        add(0x1e, 'block borders', '--extent', '0x10000001+2M')
        add(0x1e, 'outside the regions', '--extent', '0x100000000+2M')
        add(0x1e, 'overlaps', '--extent', '0x10000000+4M', '--extent',
            '0x10200000+2M')
        fm.text('add', '--extent', '0x10000000+2M')
        fm.text('add', '--extent', '0x10400000+2M')
        # two records are in the host's log, which has room for one more
        add(0x05, 'let the host read its log', '--extent', '0x10800000+2M',
            '--extent', '0x10c00000+2M')
        m.host()
        add(0x1e, 'in use', '--extent', '0x10000000+2M')
        fm.text('add', '--size', '2M')
        m.host()
        fm.text('add', '--size', '2M')
        m.host()
        add(0x1d, 'keep track of more', '--extent', '0x18000000+2M')


@case
def add_waits_for_the_hosts_answer():
    m, fm = one()
    with m:
        for policy, words, status, pattern in (
                ('accept', ['--size', '4M', '--tag', TAG], DONE,
                 '^host 0 has accepted 4 MiB$'),
                ('accept', ['--extent', '0x18000000+2M'], DONE,
                 '^host 0 has accepted 2 MiB$'),
                ('part', ['--extent', '0x19000000+4M'], NOT_DONE,
                 '^cxl-fm add: host 0 has accepted 2 MiB of 4 MiB$'),
                ('refuse', ['--size', '4M', '--tag', OTHER], NOT_DONE,
                 '^cxl-fm add: host 0 has refused the offer$')):
            m.start_host(policy)
            out, err = fm.call('add', *words, '--wait', PATIENCE,
                               status=status)
            m.stop_host()
            has(out, '^host 0 is offered ')
            has(out + err, pattern)
        _, err = fm.call('add', '--size', '2M', '--wait', '0',
                         status=NOT_DONE)
        has(err, 'has not answered within 0 s; the offer stands')
        out, _ = fm.call('--json', 'add', '--size', '2M', '--wait', '0',
                         status=NOT_DONE)
        equal(json.loads(out)['error']['kind'], 'host')
        m.host()
        m.start_host()
        done = fm.json('add', '--size', '2M', '--wait', PATIENCE)
        m.stop_host()
        equal(done['accepted'], BLOCK)


# -- releasing ----------------------------------------------------------------

@case
def release_asks_the_host():
    m, fm = one()
    with m:
        fm.text('add', '--size', '8M', '--tag', TAG)
        m.host()
        # no size: all that the host has
        has(fm.text('release', '--tag', TAG),
            f'^host 0 is asked to release 8 MiB with tag {TAG}$')
        equal(len(fm.json('extents')['extents']), 1)
        m.host()
        equal(fm.json('extents')['extents'], [])
        fm.text('add', '--extent', '0x10000000+8M')
        m.host()
        done = fm.json('release', '--extent', '0x10200000+2M')
        equal((done['done'], done['extents'][0]['dpa']), ('asked', 0x10200000))
        m.host()
        equal([(e['dpa'], e['length']) for e in
               fm.json('extents')['extents']],
              [(0x10000000, BLOCK), (0x10400000, 2 * BLOCK)])


@case
def release_can_take_by_force_and_wipe():
    m, fm = one()
    with m:
        fm.text('add', '--size', '8M', '--tag', TAG)
        m.host()
        has(fm.text('release', '--tag', TAG, '--size', '2M', '--forced',
                    '--sanitize'),
            '^taken back from host 0: 2 MiB with tag')
        equal(sum(e['length'] for e in fm.json('extents')['extents']), 6 * MIB)
        equal(fm.json('release', '--tag', TAG, '--forced')['done'], 'taken')
        equal(fm.json('extents')['extents'], [])
        # an offer that nobody answered
        fm.text('add', '--extent', '0x10000000+2M')
        has(fm.refused(0x0f, 'release', '--extent', '0x10000000+2M'),
            'only taken back with --forced')
        fm.text('release', '--extent', '0x10000000+2M', '--forced')


@case
def release_explains_every_refusal():
    m, fm = one('dc-event-log-depth=2')
    with m:
        fm.text('add', '--size', '4M', '--tag', TAG)
        m.host()

        def release(code, pattern, *words):
            has(fm.refused(code, 'release', *words), pattern)

        release(0x02, 'nothing with this tag', '--tag', OTHER, '--size', '2M')
        release(0x02, 'no such host', '--tag', TAG, '--size', '2M', '--host',
                '9')
        release(0x02, 'multiple', '--tag', TAG, '--size', '1M')
        release(0x1d, 'has less than this', '--tag', TAG, '--size', '64M')
        release(0x0f, 'does not have all', '--extent', '0x1f000000+2M')
        release(0x1e, 'overlaps', '--extent', '0x10000000+4M', '--extent',
                '0x10000000+2M')
        release(0x1e, 'block borders', '--extent', '0x10000000+1M')
        fm.wrong('accepted nothing with this tag', 'release', '--tag', OTHER)
        fm.text('release', '--tag', TAG)
        fm.text('release', '--tag', TAG)
        release(0x05, 'let the host read its log', '--tag', TAG)


@case
def release_waits_for_the_host():
    m, fm = one()
    with m:
        fm.text('add', '--size', '8M', '--tag', TAG)
        m.host()
        out, err = fm.call('release', '--tag', TAG, '--wait', '0',
                           status=NOT_DONE)
        has(out, 'is asked')
        has(err, 'has released 0 B of 8 MiB within 0 s; the request stands')
        m.events()
        m.start_host()
        out, _ = fm.call('release', '--tag', TAG, '--wait', PATIENCE)
        m.stop_host()
        has(out, '^host 0 has released 8 MiB$')
        fm.text('add', '--size', '2M', '--tag', TAG)
        m.host()
        equal(fm.json('release', '--tag', TAG, '--forced', '--wait',
                      PATIENCE)['released'], BLOCK)


# -- regions and references ---------------------------------------------------

@case
def set_region_changes_what_is_said():
    m, fm = one()
    with m:
        has(fm.text('set-region', '--region', '0', '--block-size', '4M'),
            '^region 0 has blocks of 4 MiB and is not sanitized on release$')
        equal(fm.json('set-region', '--region', '0', '--sanitize', 'on'),
              {'region': 0, 'block_size': 4 * MIB, 'sanitize': True})
        region = fm.json('regions')['regions'][0]
        equal((region['block_size'], region['sanitize']), (4 * MIB, True))
        has(fm.text('regions'), '^region 0 .* sanitized on release$')

        def refused(code, pattern, *words):
            has(fm.refused(code, 'set-region', *words), pattern)

        refused(0x02, 'cannot have blocks', '--region', '0', '--block-size',
                '3M')
        refused(0x02, 'no such region', '--region', '5', '--block-size', '2M')
        fm.text('add', '--region', '1', '--size', '2M')
        refused(0x03, 'offered or in use', '--region', '1', '--block-size',
                '4M')


@case
def a_fixed_sanitize_setting_is_told():
    m, fm = one('dc0-sanitize-configurable=off')
    with m:
        has(fm.refused(0x03, 'set-region', '--region', '0', '--sanitize',
                       'on'), 'sanitize setting is fixed')


@case
def references_keep_a_tag():
    m, fm = one('dc1-sharable=on')
    with m:
        for word in ('add', 'remove'):
            has(fm.refused(0x02, 'reference', word, TAG),
                'no shared capacity has this tag')
        fm.text('add', '--region', '1', '--size', '2M', '--tag', TAG)
        m.host()
        has(fm.text('reference', 'add', TAG),
            f'^tag {TAG} is kept by the FM$')
        equal(fm.json('tags')['tags'][0]['referenced'], True)
        equal(fm.json('reference', 'remove', TAG),
              {'tag': TAG, 'referenced': False})
        has(fm.text('tags'), f'^  {TAG}, accepted by host 0$')


if __name__ == '__main__':
    sys.exit(run())
