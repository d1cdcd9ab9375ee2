#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cxl-poold: hosts that speak its protocol, and cxl-fm as the Fabric Manager.

usage: test-cxl-poold.py CXL-POOLD CXL-FM [CASE...]
"""

import os
import re
import signal
import struct
import subprocess

# it goes first: fm_cases goes by the arguments as it leaves them
from poold_cases import (BLOCK, IN_USE, MIB, POOL, POOLD, REGION, RETRY,
                         attached, ended, give, in_another_process, on_pool,
                         pool, wrong)
from fm_cases import OTHER, TAG, Fm, case, equal, has, program, run
from poold import (ATTACH, CREDIT, DETACH, ENDED, HANDOVER, HELLO, INFO, MAGIC,
                   REPLY, REQUEST, VERSION, Closed, Daemon, Declined, FmLine,
                   Host, Line)


# -- the program --------------------------------------------------------------

@case
def it_says_how_it_is_used():
    for word in ('--help', '-h'):
        done = subprocess.run([POOLD, word], capture_output=True, check=True)
        has(done.stdout.decode(), '^Usage: cxl-poold', '--size', 'heads.sock',
            'fm.sock')


@case
def what_is_wrong_on_its_command_line_is_named():
    wrong('DIR is missing')
    wrong('one DIR', 'a', 'b')
    wrong("size cannot be '12Q': give a size", '--size=12Q', '/nowhere')
    wrong('--heads is 0: give 1 to 256', '--heads=0', '/nowhere')
    wrong('--heads is 257', '--heads=257', '/nowhere')
    wrong("heads cannot be '70000'", '--heads=70000', '/nowhere')
    wrong('--regions is 9: give 1 to 8', '--regions=9', '/nowhere')
    wrong("there is no 'dc0-colour'", '--set', 'dc0-colour=red', '/nowhere')
    wrong("'dc0-sharable' is not NAME=VALUE", '--set', 'dc0-sharable',
          '/nowhere')
    wrong("dc0-sharable cannot be '1': give on or off", '--set',
          'dc0-sharable=1', '/nowhere')
    wrong('dc-event-log-depth is 0', '--set', 'dc-event-log-depth=0',
          '/nowhere')
    wrong('--huge-pages is about memory', '--huge-pages', '--file=/nowhere/x',
          '/nowhere')
    wrong("cannot make '/proc/nowhere'", '/proc/nowhere')


@on_pool()
def one_daemon_has_a_folder_and_options_that_it_began_with(d, _):
    wrong("is that of another cxl-poold that runs", d.path('pool'))
    d.kill()
    wrong("was made with heads=4: start it without", *POOL, '--heads=5',
          d.path('pool'))
    d.options = ()
    d.start()
    has(Fm(d.fm).text('info'), '^4 hosts, 4 regions, 1 GiB')


@case
def with_nothing_but_a_folder_it_is_a_pool():
    with Daemon(POOLD) as d:
        has(Fm(d.fm).text('info'), '^4 hosts, 1 regions?, 4 GiB')


# -- capacity -----------------------------------------------------------------

@on_pool()
def capacity_goes_from_one_host_to_the_other(d, fm):
    line = Line(d)
    a = Host(line, 0)
    (dpa, length), = give(fm, a, 0)
    a.write(dpa, b'mine')
    equal(a.list(), [(dpa, length)])
    other = Line(d)
    b = Host(other, 1, base=256 * MIB)
    equal(b.list(), [])
    fm.refused(IN_USE, f'add --host 1 --extent {dpa + b.base:#x}+2M')
    a.release((dpa, length))
    equal(a.view, {})
    fm.text(f'add --host 1 --extent {dpa + b.base:#x}+2M')
    equal(b.accept(), [(dpa + b.base, length)])
    # the region's sanitize is on
    equal(b.read(dpa + b.base, 4), bytes(4))
    b.write(dpa + b.base, b'ours')
    equal(bytes(line.memory[dpa:dpa + 4]), b'ours')


@on_pool()
def what_a_host_without_a_head_is_offered_is_refused(d, fm):
    fm.refused(RETRY, 'add --host 2 --size 2M')


@on_pool()
def shared_capacity_is_the_same_memory(d, fm):
    a, b = Host(Line(d), 0), Host(Line(d), 1, base=256 * MIB)
    (dpa, _), = give(fm, a, 0, '2M', '--region', 1, '--tag', TAG)
    fm.text(f'add --host 1 --policy shared --region 2 --tag {TAG}')
    (seen, _), = b.accept()
    assert seen >= b.base + 2 * REGION, hex(seen)
    a.write(dpa, b'hello')
    equal(b.read(seen, 5), b'hello')


# -- the daemon's end ---------------------------------------------------------

@on_pool()
def what_its_help_says_of_managers_works(d, _):
    out = subprocess.run([POOLD, '--help'], capture_output=True,
                         check=True, text=True).stdout
    line, = re.findall(r'Fabric Managers: cxl-fm (.*)', out)
    words = line.replace('DIR', d.path('pool')).split()
    done = subprocess.run([program, *words], capture_output=True,
                          check=True, text=True)
    has(done.stdout, '^host 0: nothing$')


@case
def all_of_many_hosts_are_listed():
    for heads in 255, 256:
        d, fm = pool(f'--heads={heads}')
        with d:
            give(fm, Host(Line(d), heads - 1), heads - 1)
            found = fm.json('hosts')['hosts']
            equal([host['host'] for host in found], list(range(heads)))
            equal([host['length'] for host in found][-2:], [0, 2 * MIB])


@on_pool()
def a_killed_daemon_forgets_nothing(d, fm):
    a, b = Host(Line(d), 0), Host(Line(d), 1)
    mine = give(fm, a, 0, '6M')
    a.write(mine[0][0], b'before')
    give(fm, a, 0, '2M', f'--region 1 --tag {TAG}')
    fm.text(f'add --host 1 --policy shared --region 2 --tag {TAG}')
    theirs = b.accept()
    fm.text(f'add --host 1 --size 2M --tag {OTHER}')
    known = [fm.text('extents', '--host', n) for n in (0, 1)]
    tags = fm.text('tags')
    view = dict(a.view)
    d.restart()
    equal([fm.text('extents', '--host', n) for n in (0, 1)], known)
    equal(fm.text('tags'), tags)
    a.move(Line(d))
    b.move(Line(d))
    equal(a.view, view)
    equal(a.read(mine[0][0], 6), b'before')
    # the offer's record was not heard before, and is now
    equal(len(b.accept()), 1)
    equal(len(b.list()), 2)


@on_pool()
def an_answer_that_was_not_heard_is_the_same_again(d, fm):
    a = Host(Line(d), 0)
    fm.text('add --host 0 --size 2M')
    a.sync()
    event, = a.events
    number = a.last + 1
    answer = struct.pack('<IIQQQ', 1, 0, event.extent.dpa,
                         event.extent.length, 0)
    equal(a.command(0x4802, answer), (0, b''))
    d.restart()
    a.move(Line(d))
    del a.answers[number]
    a.last = number - 1
    equal(a.command(0x4802, answer), (0, b''))
    equal(len(a.list()), 1)
    # as another request it is one too many
    code, _ = a.command(0x4802, answer)
    equal(code, 0x0f)


@on_pool()
def another_life_of_a_machine_is_a_reset(d, fm):
    line = Line(d)
    a = Host(line, 0)
    mine = give(fm, a, 0)
    give(fm, a, 0, '2M', f'--region 1 --tag {TAG}')
    fm.text('add --host 0 --size 2M')
    line.close()
    a = attached(d, 0)
    equal(a.accept(), [])
    equal(a.list(), mine)


# -- a life that goes on elsewhere --------------------------------------------

def in_the_end_declined(d, name):
    """When the daemon has heard of the end of who has the head."""
    try:
        attached(d, 0, meanwhile='is that of process', instance=name,
                 goes_on=True)
    except AssertionError as words:
        has(str(words), 'has gone on elsewhere')
    else:
        raise AssertionError('it is attached')


def declined(pattern, *arguments, **more):
    try:
        Host(*arguments, **more)
    except Declined as words:
        has(str(words), pattern)
    else:
        raise AssertionError('it is attached')


@on_pool()
def a_head_that_is_handed_over_goes_on(d, fm):
    a = Host(Line(d), 0, base=256 * MIB)
    (mine, length), = give(fm, a, 0, '4M')
    a.write(mine, b'kept')
    (shared, _), = give(fm, a, 0, '2M', '--region', 1, '--tag', TAG)
    fm.text('add --host 0 --size 2M')
    a.sync()
    equal(len(a.events), 1)
    name = a.hand_over()
    known = fm.text('extents --host 0')
    # on the same connection, and the daemon has known for how long
    b = Host(a.line, 0, base=a.base, instance=name, heard=a.heard,
             goes_on=True)
    equal(fm.text('extents --host 0'), known)
    equal(b.read(mine, 4), b'kept')
    equal(b.list(), [(mine, length), (shared, BLOCK)])
    # the offer is answered by who goes on
    offer = [(a.events[0].extent.dpa, a.events[0].extent.length)]
    equal(b.respond(0x4802, offer), 0)
    b.release((mine, BLOCK))
    give(fm, b, 0)


@on_pool()
def what_happens_while_a_head_is_in_no_process_is_told_later(d, fm):
    a, b = Host(Line(d), 0), Host(Line(d), 1)
    (dpa, _), = give(fm, a, 0, '4M')
    name = a.hand_over()
    fm.refused(RETRY, 'add --host 0 --size 2M')
    fm.refused(RETRY, f'release --host 0 --extent {dpa:#x}+2M')
    # nobody reaches it: it is free at once
    fm.text(f'release --host 0 --forced --extent {dpa + BLOCK:#x}+2M')
    fm.text(f'add --host 1 --extent {dpa + BLOCK:#x}+2M')
    b.accept()
    d.restart()
    a = Host(Line(d), 0, instance=name, heard=a.heard, goes_on=True)
    a.sync()
    equal([e.type for e in a.events], [2])
    equal(a.list(), [(dpa, BLOCK)])


@on_pool()
def a_handover_outlives_the_daemon_and_the_process(d, fm):
    process, tell = in_another_process(d)
    fm.text('add --host 0 --size 4M')
    (dpa, length), = tell('accept')
    tell('write', dpa, b'kept')
    fm.text(f'add --host 0 --region 1 --size 2M --tag {TAG}')
    tell('accept')
    name = tell('hand_over')
    # it still has the memory
    d.restart()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    a = Host(Line(d), 0, instance=name, goes_on=True)
    equal(len(a.list()), 2)
    equal(a.read(dpa, 4), b'kept')


@on_pool()
def who_has_handed_over_may_take_it_back(d, fm):
    a = Host(Line(d), 0)
    mine = give(fm, a, 0)
    name = a.hand_over()
    a.attach(goes_on=True)
    equal(a.list(), mine)
    declined('is that of process', Line(d), 0, instance=name, goes_on=True)
    a.line.close()
    in_the_end_declined(d, name)
    a.move(Line(d), goes_on=True)
    equal(a.list(), mine)


@on_pool()
def a_head_is_handed_over_once(d, fm):
    a = Host(Line(d), 0)
    mine = give(fm, a, 0)
    name = a.hand_over()
    declined('was sent no event 99', Line(d), 0, instance=name, heard=99,
             goes_on=True)
    declined('static capacity', Line(d), 0, base=256 * MIB, instance=name,
             goes_on=True)
    b = Host(Line(d), 0, instance=name, heard=a.heard, goes_on=True)
    again = b.hand_over()
    for old in (name, a.instance):
        if old != b.instance:
            declined('has gone on elsewhere', Line(d), 0, instance=old,
                     goes_on=True)
    c = Host(Line(d), 0, instance=again, heard=b.heard, goes_on=True)
    equal(c.list(), mine)


@on_pool()
def another_machine_may_have_a_head_that_was_handed_over(d, fm):
    a = Host(Line(d), 0)
    mine = give(fm, a, 0)
    give(fm, a, 0, '2M', f'--region 1 --tag {TAG}')
    name = a.hand_over()
    b = Host(Line(d), 0)
    # as after a reset
    equal(b.list(), mine)
    b.line.close()
    in_the_end_declined(d, name)


@on_pool()
def a_refused_head_leaves_others_of_its_connection_alone(d, _):
    a, b = Host(Line(d), 0), Host(Line(d), 1)
    declined('is that of process', b.line, 0)
    a.sync()
    b.sync()


# -- what a manager sees of heads ---------------------------------------------

NO_LINK = bytes([0] * 6 + [0, 0, 0])
LINK = bytes([1, 16, 16, 0x1f, 5, 5, 4, 0, 4])


@on_pool()
def a_manager_sees_links_and_static_capacity_of_heads(d, _):
    fm = FmLine(d)
    a = Host(Line(d), 1, base=512 * MIB)
    equal(fm.command(0x5500, b'\0\x04'),
          (0, bytes([4, 4, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3])))
    equal(fm.command(0x5501, b'\0\x04')[1][4:], NO_LINK * 4)
    info = struct.pack('<QQ9s7x', 256 * MIB, 256 * MIB, LINK)
    a.line.send(INFO, info, 1)
    a.sync()
    equal(fm.command(0x5501, b'\0\x04')[1][4:], NO_LINK + LINK + NO_LINK * 2)
    equal(struct.unpack('<8Q', fm.command(0x5401, b'\0\x04')[1][4:]),
          (0, 0, 1, 1, 0, 0, 0, 0))
    equal(struct.unpack('<QH', fm.command(0x5400)[1][:10]), (1536 * MIB, 4))
    # what there cannot be in front of its regions
    b = Line(d)
    Host(b, 2, base=256 * MIB)
    b.send(INFO, info, 2)
    has(ended(b.read), 'does not understand')
    # as long as its machine is there, whoever was away
    a.line.close()
    equal(fm.command(0x5501, b'\1\1')[1][4:], LINK)
    fm.close()
    d.restart()
    fm = FmLine(d)
    equal(fm.command(0x5501, b'\1\1')[1][4:], LINK)
    equal(struct.unpack('<QH', fm.command(0x5400)[1][:10]), (1536 * MIB, 4))
    a.move(Line(d))
    equal(fm.command(0x5501, b'\1\1')[1][4:], LINK)
    a.line.send(DETACH, b'', 1)
    while fm.command(0x5501, b'\1\1')[1][4:] != NO_LINK:
        pass
    equal(struct.unpack('<QH', fm.command(0x5400)[1][:10]), (1024 * MIB, 4))
    # another life of it has not said anything yet
    a.attach()
    a.inform(256 * MIB, 0, LINK)
    a.sync()
    equal(fm.command(0x5501, b'\1\1')[1][4:], LINK)
    a.line.close()
    attached(d, 1, base=512 * MIB)
    equal(fm.command(0x5501, b'\1\1')[1][4:], NO_LINK)


@on_pool()
def the_end_of_a_process_ends_what_is_seen_of_its_head(d, _):
    process, tell = in_another_process(d)
    fm = FmLine(d)
    tell('inform', 0, 0, LINK)
    tell('sync')
    d.restart()
    fm = FmLine(d)
    equal(fm.command(0x5501, b'\0\1')[1][4:], LINK)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while fm.command(0x5501, b'\0\1')[1][4:] != NO_LINK:
        pass
    d.restart()
    fm = FmLine(d)
    equal(fm.command(0x5501, b'\0\1')[1][4:], NO_LINK)


# -- tunnels to logical devices -----------------------------------------------

NOT_THERE = (0x02, None)


@on_pool()
def a_tunnel_leads_to_the_process_of_a_head(d, _):
    fm, other = FmLine(d), FmLine(d)
    a = Host(Line(d), 2)
    # not set up yet
    equal(fm.device(2, 0x4000), NOT_THERE)
    a.inform()
    a.sync()
    fm.ask_device(2, 0x4102, b'12345678')
    number, opcode, room, payload = a.tunnel()
    equal((opcode, payload), (0x4102, b'12345678'))
    equal(room, 4096 - 4 - 12)
    # meanwhile others are served
    equal(other.command(0x5600)[0], 0)
    other.ask_device(2, 0x4103)
    second = a.tunnel()[0]
    assert second > number
    a.reply(second, b'', 0x16)
    equal(other.device_answer(0x4103), (0x16, b''))
    a.reply(number, b'x' * room, 0, True)
    equal(fm.device_answer(0x4102), (0, b'x' * room))
    equal(fm.background, True)
    # a request that came behind it is answered behind it
    fm.ask_device(2, 0x4200)
    fm.ask(0x5600)
    equal(other.command(0x5600)[0], 0)
    a.reply(a.tunnel()[0], b'y')
    equal(fm.device_answer(0x4200), (0, b'y'))
    equal(fm.answer()[0], 0)
    equal(fm.background, False)


@on_pool()
def a_head_that_is_not_there_is_no_end_of_a_tunnel(d, _):
    fm = FmLine(d)
    line = Line(d)
    a = Host(line, 0)
    a.inform()
    a.sync()
    for head in (1, 4, 255):
        equal(fm.device(head, 0x4000), NOT_THERE)
    # nor is there another pool
    fm.ask_device(0, 0x5600, target=1)
    equal(fm.device_answer(0x5600), NOT_THERE)
    # wrong lengths never leave the daemon
    equal(fm.command(0x5300, bytes(15)), (0x16, b''))
    equal(fm.command(0x5300, b'\0\0\x0d\0' + bytes(12)), (0x16, b''))
    fm.ask_device(0, 0x4000)
    a.tunnel()
    # it says nothing for too long, and something later
    equal(fm.device_answer(0x4000), NOT_THERE)
    fm.ask_device(0, 0x4000)
    number = a.tunnel()[0]
    a.reply(number - 1, b'late')
    a.reply(number, b'new')
    equal(fm.device_answer(0x4000), (0, b'new'))
    # it is unplugged, or its connection ends
    fm.ask_device(0, 0x4000)
    a.tunnel()
    line.send(DETACH, b'', 0)
    equal(fm.device_answer(0x4000), NOT_THERE)
    a.attach()
    a.inform()
    fm.ask_device(0, 0x4000)
    a.tunnel()
    line.close()
    equal(fm.device_answer(0x4000), NOT_THERE)
    equal(fm.device(0, 0x4000), NOT_THERE)


@on_pool()
def a_manager_that_goes_does_not_wait(d, _):
    a = Host(Line(d), 0)
    a.inform()
    a.sync()
    fm = FmLine(d)
    fm.ask_device(0, 0x4000)
    number = a.tunnel()[0]
    fm.close()
    a.sync()
    fm = FmLine(d)
    a.reply(number, b'nobody')
    fm.ask_device(0, 0x4001)
    a.reply(a.tunnel()[0], b'me')
    equal(fm.device_answer(0x4001), (0, b'me'))


@on_pool()
def replies_that_cannot_be_end_the_connection(d, _):
    fm = FmLine(d)
    b = Host(Line(d), 1)
    b.inform()

    def refused(reply):
        a = attached(d, 0)
        a.inform()
        a.sync()
        fm.ask_device(0, 0x4000)
        number, _, room, _ = a.tunnel()
        reply(a, number, room)
        has(ended(a.take), 'does not understand')
        equal(fm.device_answer(0x4000), NOT_THERE)
        a.line.close()
    refused(lambda a, number, room: a.reply(number, bytes(room + 1)))
    refused(lambda a, number, room: a.reply(number + 1))
    refused(lambda a, number, room: a.reply(0))
    refused(lambda a, number, room: a.reply(number, code=0xffff))
    refused(lambda a, number, room: a.line.send(REPLY, bytes(15), 0))
    # what another was asked
    fm.ask_device(1, 0x4000)
    number = b.tunnel()[0]
    a = Host(Line(d), 2)
    a.reply(number, b'mine')
    has(ended(a.sync), 'does not understand')
    b.reply(number, b'ours')
    equal(fm.device_answer(0x4000), (0, b'ours'))


# -- configuration -----------------------------------------------------------

def block_size(host):
    code, data = host.command(0x4800, b'\x01\0')
    equal(code, 0)
    return struct.unpack('<Q', data[8 + 0x18:][:8])[0]


@on_pool()
def a_region_changes_while_heads_are_away(d, _):
    fm = FmLine(d)

    def change(size):
        return fm.command(0x5602, struct.pack('<B3xQB3x', 0, size, 1))[0]
    a = Host(Line(d), 0)
    equal(change(2 * BLOCK), 0)
    equal(block_size(a), 2 * BLOCK)
    equal([e.type for e in a.events], [3])
    # one that comes later asks by itself
    b = Host(Line(d), 1)
    equal(block_size(b), 2 * BLOCK)
    equal(b.events, [])
    # one that has lost the connection has to be told
    b.line.close()
    while change(BLOCK) == 0:
        pass
    equal(change(BLOCK), RETRY)
    b.move(Line(d))
    b.sync()
    equal(change(BLOCK), 0)
    equal(block_size(b), BLOCK)


# -- hostile heads ------------------------------------------------------------

def ends(d, *messages, greet=True):
    """The connection ends, and nothing else does."""
    line = Line(d, greet)
    try:
        for data in messages:
            line.send_bytes(data)
        return ended(line.read)
    except Closed as closed:
        return str(closed)
    finally:
        line.close()


def message(kind, body=b'', head=0):
    return struct.pack('<IBBH', 8 + len(body), kind, 0, head) + body


@case
def nonsense_ends_a_connection_and_nothing_else():
    d, fm = pool()
    attach = struct.pack('<16sQ8IQII', b'x' * 16, 0, *range(8), 0, 9, 0)
    with d:
        a = Host(Line(d), 3)
        for data in (b'\0' * 8, b'\xff' * 64, struct.pack('<IBBH', 7, 1, 0, 0),
                     struct.pack('<IBBH', 0x200000, 1, 0, 0),
                     message(HELLO, b'nope' + bytes(4)),
                     message(HELLO, MAGIC + struct.pack('<HH', 2, 1)),
                     message(ATTACH, attach), message(REQUEST, bytes(16))):
            has(ends(d, data, greet=False), 'does not understand')
        has(ends(d, message(HELLO, MAGIC + struct.pack('<HH', VERSION + 1, 9)),
                 greet=False), f'speaks version {VERSION}, not {VERSION + 1} '
            'to 9')
        for data in (message(ATTACH, attach[:-1]), message(0x55),
                     message(ATTACH, b'\0' * 16 + attach[16:]),
                     message(ATTACH, attach[:-4] + b'\2\0\0\0'),
                     message(HANDOVER, bytes(range(16))),
                     message(ENDED, bytes(8)), message(CREDIT, bytes(16)),
                     message(REQUEST, bytes(16)),
                     message(HELLO, MAGIC + struct.pack('<HH', 1, 1))):
            has(ends(d, data), 'does not understand')
        has(ends(d, message(ATTACH, attach, 4)), 'there is no head 4')
        has(ends(d, message(ATTACH, attach, 3)), 'head 3 is that of process')
        for data in (message(REQUEST, bytes(16)), message(ENDED, bytes(7)),
                     message(HANDOVER, bytes(16)),
                     message(HANDOVER, b'x' * 16),
                     message(HANDOVER, bytes(range(15))),
                     message(HANDOVER, bytes(range(16))) +
                     message(ENDED, bytes(8)),
                     message(CREDIT, struct.pack('<QII', 99, 0, 0)),
                     message(REQUEST, struct.pack('<QHHI', 1, 0x4800, 0,
                                                  0x7fffffff))):
            has(ends(d, message(ATTACH, attach), data), 'does not understand')
        a.sync()
        has(fm.text('info'), '4 hosts')


@on_pool()
def a_head_cannot_be_a_manager(d, _):
    a = Host(Line(d), 0)
    equal(a.command(0x5600), (0x03, b''))
    equal(a.command(0x0001), (0x03, b''))
    equal(a.command(0x4801, b''), (0x16, b''))


@on_pool()
def who_does_not_read_is_not_served(d, fm):
    a, b = Host(Line(d), 0), Host(Line(d), 1)
    a.line.socket.setblocking(False)
    body = struct.pack('<QHHI', 0, 0x4800, 0, 1 << 20) + b'\x08\0'
    number = a.last
    try:
        while True:
            number += 1
            a.line.socket.send(message(
                REQUEST, struct.pack('<Q', number) + body[8:]))
    except BlockingIOError:
        pass
    give(fm, b, 1)


run()
