#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Verbs of cxl-fm that add, release and set up, against a running machine.

usage: see fm_cases.py
"""

import contextlib
import json
import signal
import subprocess
import time

from fm_cases import (DONE, NOT_DONE, OTHER, TAG, environment, equal,
                      has, held, on, program, run)
from fm_machine import BLOCK, MIB, PATIENCE

# For a program to see what it must not mistake for something else
A_WHILE = 0.5


# -- adding -------------------------------------------------------------------

@on('dc1-sharable=on')
def add_offers_by_every_policy(m, fm):
    has(fm.text(f'add --size 4M --tag {TAG}'),
        f'^host 0 is offered 4 MiB with tag {TAG}$')
    m.host()
    done = fm.json('add --policy contiguous --region 1 --size 0x200000 --tag '
                   f'{OTHER}')
    equal(done['done'], 'offered')
    equal((done['policy'], done['size'], done['tag'], done['host']),
          ('contiguous', BLOCK, OTHER, 0))
    m.host()
    has(fm.text('add --policy prescriptive --extent 0x18000000+2M --extent '
                '0x19000000+2M:abcd'), '^host 0 is offered 2 extents, 4 MiB$')
    m.host()
    tags = [e['tag'] for e in fm.json('extents')['extents']]
    equal(sorted(tags, key=str), sorted(
        [TAG, OTHER, None, 'abcd0000-0000-0000-0000-000000000000'], key=str))
    # an invented tag is told and is a real one
    told = fm.json('add --size 2M --tag new')['tag']
    has(told, '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]')


@on('dc1-sharable=on')
def add_shares_what_has_a_tag(m, fm):
    held(m, fm, f'--region 1 --size 4M --tag {TAG}')
    fm.text(f'reference add {TAG}')
    fm.text(f'release --tag {TAG}')
    m.host()
    equal(fm.json('extents')['extents'], [])
    has(fm.text('tags'), 'kept by the FM alone')
    held(m, fm, f'--policy shared --region 1 --tag {TAG}')
    equal(sum(e['length'] for e in fm.json('extents')['extents']), 4 * MIB)


@on('dc1-sharable=on')
def extents_of_shared_capacity_are_numbered(m, fm):
    fm.text(f'add --tag {TAG} --extent 0x20000000+2M --extent 0x21000000+2M '
            '--extent 0x22000000+2M')
    m.host()
    equal([e['sequence'] for e in fm.json('extents')['extents']], [0, 1, 2])
    has(fm.text('extents'), ', sequence 2$')


@on('dc-extents-max=4,dc-tags-max=2,dc-event-log-depth=3,'
    'dc1-sharable=on')
def add_explains_every_refusal(m, fm):
    def add(code, pattern, words):
        has(fm.refused(code, f'add {words}'), pattern)

    # what the device's geometry tells is not even sent
    fm.wrong('--host 3: there is no such host; the device has 1',
             'add --size 2M --host 3')
    fm.wrong('--host 3: ', 'add --extent 0x10000000+2M --host 3')
    fm.wrong('--region 7: there is no such region; host 0 has 2',
             'add --size 2M --region 7')
    fm.wrong('--size 1M: expected a multiple of 2 MiB, the blocks of '
             'region 0', 'add --size 1M')
    fm.wrong('--size 0: expected a multiple', 'add --size 0')
    fm.wrong('--tag is missing: region 1 is sharable',
             'add --size 2M --region 1')
    fm.wrong('--policy shared: region 0 is not sharable',
             f'add --policy shared --tag {OTHER}')
    add(0x02, f'no shared capacity has tag {OTHER}',
        f'--policy shared --region 1 --tag {OTHER}')
    add(0x1d, 'not enough capacity', '--size 512M')
    fm.wrong('--extent 0x10000001\+2M: expected multiples of 2 MiB',
             'add --extent 0x10000001+2M')
    fm.wrong('--extent 0x10000000\+1M: expected multiples of 2 MiB',
             'add --extent 0x10000000+1M')
    for outside in ('0x100000000+2M', '0xffffffffffe00000+4M',
                    '0x10000000+1G'):
        fm.wrong(': in none of the regions of host 0',
                 f'add --extent {outside}')
    fm.wrong('--extent 0x10200000\+2M overlaps --extent 0x10000000\+4M',
             'add --extent 0x10000000+4M --extent 0x10200000+2M')
    fm.wrong('--extent 0x20000000\+2M: --tag is missing, region 1 is '
             'sharable', 'add --extent 0x20000000+2M')
    fm.text('add --extent 0x10000000+2M')
    fm.text('add --extent 0x10400000+2M')
    # two records are in the host's log, which has room for one more
    add(0x05, 'let the host read its log',
        '--extent 0x10800000+2M --extent 0x10c00000+2M')
    m.host()
    add(0x1e, 'in use', '--extent 0x10000000+2M')
    held(m, fm, f'--size 2M --tag {TAG}')
    held(m, fm, f'--size 2M --region 1 --tag {OTHER}')
    for tag, words in ((TAG, '--size 2M'),
                       (OTHER, '--size 2M --region 1'),
                       (TAG, '--extent 0x18000000+2M')):
        add(0x02, f'tag {tag} is in use$', f'--tag {tag} {words}')
    add(0x02, f'host 0 has tag {OTHER} already',
        f'--policy shared --region 1 --tag {OTHER}')
    add(0x1d, 'keep track of more', '--extent 0x18000000+2M')


@on()
def add_waits_for_the_hosts_answer(m, fm):
    for policy, words, status, pattern in (
            ('accept', f'--size 4M --tag {TAG}', DONE,
             '^host 0 has accepted 4 MiB$'),
            ('accept', '--extent 0x18000000+2M', DONE,
             '^host 0 has accepted 2 MiB$'),
            ('part', '--extent 0x19000000+4M', NOT_DONE,
             '^cxl-fm add: host 0 has accepted 2 MiB of 4 MiB$'),
            ('refuse', f'--size 4M --tag {OTHER}', NOT_DONE,
             '^cxl-fm add: host 0 has refused the offer$')):
        m.start_host(policy)
        out, err = fm.call(f'add {words} --wait {PATIENCE}', status=status)
        m.stop_host()
        has(out, '^host 0 is offered ')
        has(out + err, pattern)
    _, err = fm.call('add --size 2M --wait 0', status=NOT_DONE)
    has(err, 'has not answered within 0 s; the offer stands')
    out, _ = fm.call('--json add --size 2M --wait 0', status=NOT_DONE)
    equal(json.loads(out)['error']['kind'], 'host')
    m.host()
    m.start_host()
    done = fm.json(f'add --size 2M --wait {PATIENCE}')
    m.stop_host()
    equal(done['accepted'], BLOCK)


def start_add(m, words):
    """An add that waits; returns once the offer is made."""
    add = subprocess.Popen(
        [program, '-c', m.urls[0], 'add', *words.split(), '--wait',
         str(PATIENCE)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
        text=True)
    has(add.stdout.readline(), '^host 0 is offered ')
    return add


def end_add(add, status, pattern):
    out, err = add.communicate(timeout=PATIENCE)
    equal((add.returncode, err if status == DONE else ''), (status, ''))
    has(out + err, pattern)


def goes_on(add):
    time.sleep(A_WHILE)
    equal(add.poll(), None)


@on('dc1-sharable=on', links=['unix', 'unix'])
def add_waits_for_its_own_offer(m, fm):
    first, own = (0x10000000, BLOCK), (0x18000000, BLOCK)
    other = fm.at(m.urls[1])
    # capacity that the FM alone keeps
    held(m, fm, f'--region 1 --size 4M --tag {TAG}')
    fm.text(f'reference add {TAG}')
    fm.text(f'release --tag {TAG}')
    m.host()
    for words in (f'--extent 0x18000000+2M --tag {OTHER}',
                  '--extent 0x18000000+2M'):
        fm.text('add --extent 0x10000000+2M')
        add = start_add(m, words)
        # another offer is answered
        equal(m.respond(0x4802, [first]), 0)
        goes_on(add)
        if OTHER in words:
            other.text(f'reference remove {TAG}')
            goes_on(add)
        equal(m.respond(0x4802, [own]), 0)
        end_add(add, DONE, '^host 0 has accepted 2 MiB$')
        for extent in (first, own):
            equal(m.respond(0x4803, [extent]), 0)
    # a withdrawn offer before it
    fm.text(f'add --extent 0x10000000+2M --tag {TAG}')
    fm.text(f'release --tag {TAG} --forced')
    add = start_add(m, f'--extent 0x18000000+2M --tag {OTHER}')
    goes_on(add)
    equal(m.respond(0x4802, [own]), 0)
    end_add(add, DONE, '^host 0 has accepted 2 MiB$')
    equal(m.respond(0x4803, [own]), 0)
    # its own is withdrawn
    add = start_add(m, '--size 2M')
    tag, = other.json('map')['offered_tags']
    other.text(f'release --tag {tag} --forced')
    end_add(add, NOT_DONE, 'the offer to host 0 was withdrawn$')
    equal(m.respond(0x4802, []), 0)
    # a refusal is seen although others wait before and behind it
    fm.text('add --extent 0x10000000+2M')
    add = start_add(m, '--extent 0x18000000+2M')
    other.text('add --extent 0x14000000+2M')
    goes_on(add)
    equal(m.respond(0x4802, []), 0)
    goes_on(add)
    equal(m.respond(0x4802, []), 0)
    end_add(add, NOT_DONE, 'host 0 has refused the offer$')
    fm.wrong('--wait: only a tag tells',
             'add --extent 0x18000000+2M --tag - --wait 1')


@contextlib.contextmanager
def asleep(process):
    """It sees what is left when it wakes up."""
    process.send_signal(signal.SIGSTOP)
    yield
    process.send_signal(signal.SIGCONT)


@on(links=['unix', 'unix'])
def add_hears_of_what_is_over_before_it_looks(m, fm):
    own = (0x10000000, BLOCK)
    other = fm.at(m.urls[1])
    for words in ('', f'--tag {TAG}'):
        # accepted and given back at once
        add = start_add(m, f'--extent 0x10000000+2M {words}')
        with asleep(add):
            equal(m.respond(0x4802, [own]), 0)
            equal(m.respond(0x4803, [own]), 0)
        end_add(add, DONE, '^host 0 has accepted 2 MiB$')
        # refused, after the same was accepted
        add = start_add(m, f'--extent 0x10000000+2M {words}')
        with asleep(add):
            equal(m.respond(0x4802, []), 0)
        end_add(add, NOT_DONE, 'host 0 has refused the offer$')
    # nothing was taken from a program that follows the log
    equal([e['type'] for e in other.json('events')['events']], [4, 5] * 2)


@on()
def add_waits_beside_a_log_that_nobody_reads(m, fm):
    own = (0x10000000, BLOCK)
    for _ in range(40):
        fm.text('add --extent 0x10000000+2M')
        equal(m.respond(0x4802, [own]), 0)
        equal(m.respond(0x4803, [own]), 0)
    m.events()
    add = start_add(m, '--extent 0x10000000+2M')
    goes_on(add)
    equal(m.respond(0x4802, [own]), 0)
    end_add(add, DONE, '^host 0 has accepted 2 MiB$')


# -- releasing ----------------------------------------------------------------

@on()
def release_asks_the_host(m, fm):
    held(m, fm, f'--size 8M --tag {TAG}')
    # no size: all that the host has
    has(fm.text(f'release --tag {TAG}'),
        f'^host 0 is asked to release 8 MiB with tag {TAG}$')
    equal(len(fm.json('extents')['extents']), 1)
    m.host()
    equal(fm.json('extents')['extents'], [])
    held(m, fm, '--extent 0x10000000+8M')
    done = fm.json('release --extent 0x10200000+2M')
    equal((done['done'], done['extents'][0]['dpa']), ('asked', 0x10200000))
    m.host()
    equal([(e['dpa'], e['length']) for e in fm.json('extents')['extents']],
          [(0x10000000, BLOCK), (0x10400000, 2 * BLOCK)])


@on()
def release_can_take_by_force_and_wipe(m, fm):
    held(m, fm, f'--size 8M --tag {TAG}')
    has(fm.text(f'release --tag {TAG} --size 2M --forced --sanitize'),
        '^taken back from host 0: 2 MiB with tag')
    equal(sum(e['length'] for e in fm.json('extents')['extents']), 6 * MIB)
    equal(fm.json(f'release --tag {TAG} --forced')['done'], 'taken')
    equal(fm.json('extents')['extents'], [])
    # an offer that nobody answered
    fm.text('add --extent 0x10000000+2M')
    has(fm.refused(0x0f, 'release --extent 0x10000000+2M'),
        'only withdrawn with --forced')
    has(fm.text('release --extent 0x10000000+2M --forced'),
        '^the offer to host 0 is withdrawn: 1 extent, 2 MiB$')


@on('dc1-sharable=on')
def release_by_force_withdraws_offers(m, fm):
    for region, size in ((0, '6M'), (1, '6M'), (1, '2M')):
        fm.text(f'add --region {region} --size {size} --tag {TAG}')
        has(fm.text('map'), f'^ [?] tag {TAG} is offered$')
        fm.wrong(f'--tag {TAG}: host 0 has not answered the offer; '
                 '--forced withdraws it', f'release --tag {TAG}')
        has(fm.text(f'release --tag {TAG} --forced'),
            f'^the offer to host 0 is withdrawn: the capacity with tag '
            f'{TAG}$')
        has(fm.text('tags'), f'^  {TAG}, offer withdrawn, waits for the host$')
        equal(fm.json('tags')['tags'][0]['withdrawn'], True)
        drawn = fm.json('map')
        equal((drawn['offered_tags'], drawn['withdrawn_tags']), ([], [TAG]))
        has(fm.text('map'),
            f'^ ! tag {TAG}: offer withdrawn, waits for the host$')
        # once more changes nothing
        equal(fm.json(f'release --tag {TAG} --forced')['done'], 'withdrawn')
        equal(m.respond(0x4802, []), 0)
        m.events()
        equal(fm.json('tags')['tags'], [])
    # what is accepted and what is offered, in one command
    held(m, fm, '--extent 0x10000000+2M')
    fm.text('add --extent 0x10200000+2M')
    has(fm.text('release --extent 0x10000000+4M --forced'),
        '^taken back from host 0, as far as accepted; the rest is '
        'withdrawn: 1 extent, 4 MiB$')
    equal(fm.json('extents')['extents'], [])
    equal(m.respond(0x4802, [(0x10200000, BLOCK)]), 0x0f)


@on('dc-event-log-depth=2')
def release_explains_every_refusal(m, fm):
    held(m, fm, f'--size 4M --tag {TAG}')

    def release(code, pattern, words):
        has(fm.refused(code, f'release {words}'), pattern)

    for words in ('', '--size 2M', '--forced'):
        fm.wrong(f'--tag {OTHER}: host 0 has nothing with this tag',
                 f'release --tag {OTHER} {words}')
    fm.wrong('--host 9: there is no such host',
             f'release --tag {TAG} --size 2M --host 9')
    release(0x02, 'multiple', f'--tag {TAG} --size 1M')
    release(0x1d, 'has less than this', f'--tag {TAG} --size 64M')
    release(0x0f, 'does not have all', '--extent 0x1f000000+2M')
    fm.wrong('--extent 0x10000000\+2M overlaps --extent 0x10000000\+4M',
             'release --extent 0x10000000+4M --extent 0x10000000+2M')
    fm.wrong('--extent 0x10000000\+1M: expected multiples of 2 MiB',
             'release --extent 0x10000000+1M')
    fm.text(f'release --tag {TAG}')
    fm.text(f'release --tag {TAG}')
    release(0x05, 'let the host read its log', f'--tag {TAG}')


@on()
def release_waits_for_the_host(m, fm):
    held(m, fm, f'--size 8M --tag {TAG}')
    out, err = fm.call(f'release --tag {TAG} --wait 0', status=NOT_DONE)
    has(out, 'is asked')
    has(err, 'has released 0 B of 8 MiB within 0 s; it may do so later')
    m.events()
    m.start_host()
    out, _ = fm.call(f'release --tag {TAG} --wait {PATIENCE}')
    m.stop_host()
    has(out, '^host 0 has released 8 MiB$')
    held(m, fm, f'--size 2M --tag {TAG}')
    equal(fm.json(f'release --tag {TAG} --forced --wait '
                  f'{PATIENCE}')['released'], BLOCK)


@on(links=['unix', 'unix'])
def release_hears_of_what_is_over_before_it_looks(m, fm):
    own = (0x10000000, BLOCK)
    other = fm.at(m.urls[1])
    fm.text('add --extent 0x10000000+2M')
    equal(m.respond(0x4802, [own]), 0)
    release = subprocess.Popen(
        [program, '-c', m.urls[0], 'release', '--extent', '0x10000000+2M',
         '--wait', str(PATIENCE)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(), text=True)
    has(release.stdout.readline(), '^host 0 is asked to release ')
    with asleep(release):
        equal(m.respond(0x4803, [own]), 0)
        other.text('add --extent 0x10000000+2M')
        equal(m.respond(0x4802, [own]), 0)
    end_add(release, DONE, '^host 0 has released 2 MiB$')


# -- regions and references ---------------------------------------------------

@on()
def set_region_changes_what_is_said(m, fm):
    has(fm.text('set-region --region 0 --block-size 4M'),
        '^region 0 has blocks of 4 MiB and is not sanitized on release$')
    equal(fm.json('set-region --region 0 --sanitize on'),
          {'region': 0, 'block_size': 4 * MIB, 'sanitize': True})
    region = fm.json('regions')['regions'][0]
    equal((region['block_size'], region['sanitize']), (4 * MIB, True))
    has(fm.text('regions'), '^region 0 .* sanitized on release$')

    def refused(code, pattern, words):
        has(fm.refused(code, f'set-region {words}'), pattern)

    for size in ('3M', '0', '512M'):
        fm.wrong(f'--block-size {size}: region 0 cannot have blocks of '
                 'this size', f'set-region --region 0 --block-size {size}')
    fm.wrong('--region 5: there is no such region; the device has 2',
             'set-region --region 5 --block-size 2M')
    fm.text('add --region 1 --size 2M')
    refused(0x03, 'offered or in use', '--region 1 --block-size 4M')


@on('dc0-sanitize-configurable=off')
def a_fixed_sanitize_setting_is_told(m, fm):
    has(fm.refused(0x03, 'set-region --region 0 --sanitize on'),
        'sanitize setting is fixed')


@on('dc1-sharable=on')
def references_keep_a_tag(m, fm):
    for word in ('add', 'remove'):
        has(fm.refused(0x02, f'reference {word} {TAG}'),
            'no shared capacity has this tag')
    held(m, fm, f'--region 1 --size 2M --tag {TAG}')
    has(fm.text(f'reference add {TAG}'), f'^tag {TAG} is kept by the FM$')
    equal(fm.json('tags')['tags'][0]['referenced'], True)
    equal(fm.json(f'reference remove {TAG}'),
          {'tag': TAG, 'referenced': False})
    has(fm.text('tags'), f'^  {TAG}, accepted by host 0$')


run()
