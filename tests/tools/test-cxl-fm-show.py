#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Verbs of cxl-fm that show, against a running machine, read as a user would.

usage: see fm_cases.py
"""

import json
import os
import pty
import re
import select
import subprocess
import threading

from fm_cases import (DONE, Fm, OTHER, TAG, USAGE, case, environment, equal,
                      has, held, machine, on, program, run)
from fm_machine import BLOCK, DC_BASE, MIB, PATIENCE, REGION


# -- looking ------------------------------------------------------------------

@on()
def identify_tells_who_is_there(m, fm):
    has(fm.text('identify'), r'^Type 3 device 8086:0d93 serial '
        r'00000000c0de1234, messages up to \d+ bytes$')
    identity = fm.json('identify')
    equal(identity['type'], 3)
    equal(identity['serial'], '00000000c0de1234')
    equal(identity['max_message'] & (identity['max_message'] - 1), 0)


@on('dc1-sanitize-configurable=off')
def info_tells_what_the_device_can(m, fm):
    has(fm.text('info'), '^1 host, 2 regions, 512 MiB of dynamic capacity',
        '^add policies: free, contiguous, prescriptive; release policies: '
        'by tag, prescriptive',
        '^region 0 blocks: 4 KiB .. 256 MiB; sanitize is configurable',
        '^region 1 .*sanitize is fixed')
    info = fm.json('info')
    equal(info['capacity'], 2 * REGION)
    equal(info['add_policies'], ['free', 'contiguous', 'prescriptive'])
    equal([r['region'] for r in info['regions']], [0, 1])
    assert BLOCK in info['regions'][0]['block_sizes'], info


@on('dc1-sharable=on')
def regions_tell_geometry_and_what_is_free(m, fm):
    has(fm.text('regions'), '^region 0 at 0x10000000: 256 MiB in blocks '
        'of 2 MiB, ', '^region 1 at 0x20000000: .*sharable',
        r'^extents free (\d+) of \1, tags free (\d+) of \2$')
    before = fm.json('regions')
    equal([r['sharable'] for r in before['regions']], [False, True])
    equal(before['regions'][0]['base'], DC_BASE)
    has(fm.text('add --size 2M'), '^host 0 is offered 2 MiB without a tag$')
    equal(fm.json('regions')['extents_free'], before['extents_free'] - 1)
    has(fm.refused(0x02, 'regions --host 5'), 'no such host')


@on()
def extents_tell_what_the_host_accepted(m, fm):
    has(fm.text('extents'), r'^host 0 has 0 extents, generation \d+$')
    equal(fm.json('extents')['extents'], [])
    fm.text(f'add --extent 0x10000000+4M:{TAG} --extent {DC_BASE + REGION}+2M')
    equal(fm.json('extents')['extents'], [])
    m.host()
    has(fm.text('extents'), '^host 0 has 2 extents',
        f'^  0x10000000 [+] 4 MiB, tag {TAG}$',
        '^  0x20000000 [+] 2 MiB, tag -$')
    equal(fm.json('extents')['extents'],
          [{'dpa': DC_BASE, 'length': 4 * MIB, 'tag': TAG, 'sequence': 0},
           {'dpa': DC_BASE + REGION, 'length': 2 * MIB, 'tag': None,
            'sequence': 0}])
    has(fm.refused(0x02, 'extents --host 1'), 'no such host')


@on()
def a_list_of_many_pages_comes_whole(m, fm):
    # every second block, so that nothing can be joined
    places = list(range(DC_BASE, DC_BASE + 2 * REGION, 2 * BLOCK))
    for at in range(0, len(places), 16):
        words = ''
        for place in places[at:at + 16]:
            words += f' --extent {place:#x}+2M'
        fm.text('add' + words)
        m.host()
    # more than an answer of 4096 bytes has room for
    assert len(places) > 4096 // 0x28, len(places)
    listed = fm.json('extents')['extents']
    equal(sorted(e['dpa'] for e in listed), places)


@on('dc1-sharable=on')
def tags_tell_who_has_them(m, fm):
    has(fm.text('tags'), '^0 tags')
    fm.text(f'add --size 2M --region 1 --tag {TAG}')
    has(fm.text('tags'), '^1 tag, ', f'^  {TAG}, offered to host 0$')
    m.host()
    has(fm.text('tags'), f'^  {TAG}, accepted by host 0$')
    equal(fm.json('tags')['tags'],
          [{'tag': TAG, 'referenced': False, 'accepted': [0],
            'offered': [], 'withdrawn': False}])


# -- logs ---------------------------------------------------------------------

@on()
def logs_are_listed_and_read(m, fm):
    has(fm.text('log'), r'^0da9c0b5-[0-9a-f-]+  cel +\d+ bytes$')
    logs = fm.json('log')['logs']
    size = [e['size'] for e in logs if e['name'] == 'cel'][0]
    has(fm.text('log cel'), '^000000  [0-9a-f]{2} [0-9a-f]{2}')
    whole = fm.json('log cel')
    equal((whole['size'], len(whole['data'])), (size, 2 * size))
    path = m.path('cel')
    has(fm.text(f'log 0da9c0b5-bf41-4b78-8f79-96b1623b3f17 -o {path}'),
        f'^{size} bytes written to ')
    with open(path, 'rb') as file:
        equal(file.read().hex(), whole['data'])
    has(fm.refused(0x17, f'log {TAG}'), 'no such log')
    # the same, decoded
    listed = fm.json('commands')['commands']
    equal(len(listed), size // 4)
    codes = [c['opcode'] for c in listed]
    equal(codes[0], whole['data'][2:4] + whole['data'][0:2])
    assert '5604' in codes and '0001' in codes, codes
    equal([c['opcode'] for c in listed if not c['name']], [])
    has(fm.text('commands'), '^5600  effects 0000  Get DCD Info$',
        '^5604  effects 0e07  ')


@on()
def events_are_shown_once(m, fm):
    equal(fm.text('events'), 'no events\n')
    held(m, fm, f'--extent 0x10000000+2M:{TAG}')
    fm.text(f'release --tag {TAG}')
    m.host()
    kept = fm.text('events --keep')
    equal(fm.text('events --keep'), kept)
    text = fm.text('events')
    equal(text, kept)
    has(text, rf'\] host 0 accepted: 0x10000000 [+] 2 MiB, tag {TAG}$',
        rf'\] host 0 released: 0x10000000 [+] 2 MiB, tag {TAG}$')
    equal(fm.json('events'), {'events': []})
    held(m, fm, '--extent 0x10000000+2M')
    event, = fm.json('events')['events']
    equal((event['type'], event['name'], event['host']),
          (4, 'host accepted', 0))
    equal(event['extent']['length'], BLOCK)
    assert event['available_extents'] > 0


@on()
def many_events_come_in_order(m, fm):
    for number in range(20):
        held(m, fm, f'--extent {DC_BASE + number * BLOCK:#x}+2M')
    events = fm.json('events')['events']
    equal([e['extent']['dpa'] for e in events],
          [DC_BASE + n * BLOCK for n in range(20)])


@on(links=['unix', 'unix'])
def watch_follows_the_log(m, fm):
    watch = subprocess.Popen(
        [program, '-c', m.urls[1], 'watch', '--interval', '10', '--count',
         '2', '--map'], stdout=subprocess.PIPE, env=environment())
    first = watch.stdout.readline().decode()
    has(first, '^region 0 at 0x10000000: 0 B of 256 MiB in use')
    held(m, fm, f'--extent 0x10000000+64M:{TAG}')
    fm.text(f'release --tag {TAG} --size 32M')
    m.host()
    rest = watch.communicate(timeout=PATIENCE)[0].decode()
    equal(watch.returncode, DONE)
    has(rest, r'^\[\d+\] host 0 accepted: 0x10000000 [+] 64 MiB',
        r'^\[\d+\] host 0 released: .* 32 MiB',
        ' of 256 MiB in use', f'A tag {TAG}, ')
    # the same without looking: the component says when
    watch = subprocess.Popen(
        [program, '-c', m.urls[1], '--json', 'watch', '--count', '2'],
        stdout=subprocess.PIPE, env=environment())
    held(m, fm, '--extent 0x18000000+2M')
    first = json.loads(watch.stdout.readline())
    equal(first['extent']['dpa'], 0x18000000)
    fm.text('release --extent 0x18000000+2M')
    m.host()
    watch.communicate(timeout=PATIENCE)
    equal(watch.returncode, DONE)
    # nothing happens: the time ends it
    equal(fm.text('watch --for 0.1 --interval 10'), '')


# -- raw ----------------------------------------------------------------------

@on()
def raw_sends_any_command(m, fm):
    has(fm.text('raw 0001'), '^success, 18 bytes$', '^000000  86 80 93 0d')
    answer = fm.json('raw 0x5601 0000 01 00')
    equal((answer['code'], answer['name']), (0, 'success'))
    equal(answer['length'], 4 + 0x28 + 16)
    equal(answer['payload'][:8], '00000201')
    path = m.path('payload')
    with open(path, 'wb') as file:
        file.write(b'\0\0\1\0')
    equal(fm.json(f'raw 5601 -i {path}'), answer)
    fm.text(f'raw 5601 -i {path} -o {path}')
    with open(path, 'rb') as file:
        equal(file.read().hex(), answer['payload'])
    has(fm.refused(0x16, 'raw 5601 00'), 'wrong length')
    has(fm.refused(0x03, 'raw ffff'), 'does not have this command')
    _, err = fm.call('raw 5603', '00' * 4090, status=USAGE)
    has(err, 'longer than the component takes')


@on()
def a_background_operation_is_followed(m, fm):
    started = fm.json('raw 4400 --no-wait')
    equal((started['code'], started['name']),
          (1, 'background operation started'))
    has(fm.refused(0x06, 'raw 4400'), 'another background operation')
    m.clock_step(3600 * 10 ** 9)
    stop = threading.Event()

    def time_goes_on():
        while not stop.wait(0.05):
            m.clock_step(5 * 10 ** 8)
    clock = threading.Thread(target=time_goes_on)
    clock.start()
    try:
        out, err = fm.call('raw 4400')
    finally:
        stop.set()
        clock.join()
    has(out, '^success, 0 bytes$')
    has(err, r'^4400h in background: \d+ %$')
    percents = [int(p) for p in re.findall(r'(\d+) %', err)]
    equal(percents, sorted(set(percents)))


# -- map ----------------------------------------------------------------------

@on()
def map_draws_blocks_by_tag(m, fm):
    fm.text(f'add --extent 0x10000000+32M:{TAG} --extent '
            f'0x14000000+2M:{OTHER} --extent 0x18000000+16M')
    m.host()
    fm.text('add --size 2M --tag cafe')
    picture = fm.text('map --width 16')
    rows = [line for line in picture.splitlines() if line[0] == '|']
    equal(rows, ['|AA..+...#.......|', '|................|'])
    has(picture,
        '^region 0 at 0x10000000: 50 MiB of 256 MiB in use, a cell is '
        '16 MiB$', f'^ A tag {TAG}, 32 MiB$', f'^ B tag {OTHER}, 2 MiB$',
        '^ # without a tag$', '^ [+] a part of the cell is in use$',
        '^ 1 extent waits for an answer',
        '^ [?] tag cafe0000-0000-0000-0000-000000000000 is offered$')
    # no terminal: 80 columns at most, and no colour
    plain = fm.text('map')
    assert all(len(line) <= 80 for line in plain.splitlines()), plain
    assert '\x1b' not in plain
    colour = fm.text('--color always map')
    has(colour, '\x1b\\[31mA')
    equal(re.sub('\x1b\\[[0-9]*m', '', colour), plain)
    drawn = fm.json('map')
    equal([len(r['extents']) for r in drawn['regions']], [3, 0])
    equal(drawn['offered_tags'], ['cafe0000-0000-0000-0000-000000000000'])
    equal(drawn['unanswered_extents'], 1)
    fm.wrong('--width', 'map --width -1')
    has(fm.refused(0x02, 'map --host 7'), 'no such host')


@on()
def hosts_are_told_what_they_have(m, fm):
    equal(fm.text('hosts'), 'host 0: nothing\n')
    fm.text('add --size 32M')
    held(m, fm, '--region 1 --size 2M')
    fm.text('add --size 2M')
    equal(fm.text('hosts'),
          'host 0: 34 MiB in 2 extents (32 MiB of region 0, 2 MiB of '
          'region 1), 1 more offered, or kept by the FM alone\n')
    host, = fm.json('hosts')['hosts']
    equal(host, {'host': 0, 'extents': 2, 'length': 34 << 20,
                 'regions': [32 << 20, 2 << 20], 'unanswered_extents': 1,
                 'leaving': 0})


def on_terminal(words, **env):
    """What the program writes to a terminal."""
    master, slave = pty.openpty()
    child = subprocess.Popen([program] + words, stdin=slave, stdout=slave,
                             stderr=slave, env=environment(**env))
    os.close(slave)
    text = b''
    try:
        while select.select([master], [], [], PATIENCE)[0]:
            data = os.read(master, 65536)
            if not data:
                break
            text += data
    except OSError:
        pass                    # Linux: the other side is closed
    os.close(master)
    equal(child.wait(PATIENCE), 0)
    return text.decode()


@on()
def colour_is_for_terminals_that_want_it(m, fm):
    held(m, fm, f'--extent 0x10000000+32M:{TAG}')
    words = ['--connect', fm.url, 'map']
    assert '\x1b[31m' in on_terminal(words)
    assert '\x1b' not in on_terminal(words, NO_COLOR='1')
    assert '\x1b' in on_terminal(words, NO_COLOR='')
    assert '\x1b' not in on_terminal(['--color', 'never'] + words)


# -- other components ---------------------------------------------------------

@case
def a_device_without_dynamic_capacity_is_told():
    path = os.path.join('/tmp', f'cxl-fm-{os.getpid()}')
    with machine(links=['unix'], args=[
            '-device', 'cxl-rp,id=rp1,bus=cxl.0,chassis=0,slot=1,port=1',
            '-object', 'memory-backend-ram,id=more,size=256M',
            '-device', 'cxl-type3,id=plain,bus=rp1,volatile-memdev=more',
            '-chardev', f'socket,server=on,wait=off,id=p,path={path}',
            '-device', 'mctp-serial-cxl,chardev=p,target=plain']):
        fm = Fm('unix:' + path)
        equal(fm.json('identify')['type'], 3)
        for words in ('info', 'regions', 'extents', 'tags', 'map',
                      'hosts', 'add --size 2M',
                      f'release --tag {TAG} --size 2M',
                      'set-region --region 0 --block-size 2M',
                      f'reference add {TAG}'):
            has(fm.refused(0x03, words), 'does not have this command')


run()
