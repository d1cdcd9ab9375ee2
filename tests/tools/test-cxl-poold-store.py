#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the database of cxl-poold has of extents, over its sudden end.

usage: test-cxl-poold-store.py CXL-POOLD CXL-FM [CASE...]
"""

import os
import shutil
import sqlite3
import tempfile

# it goes first: fm_cases goes by the arguments as it leaves them
from poold_cases import MIB, on_pool, wrong
from fm_cases import TAG, equal, run
from poold import DETACH, Host, Line

SHARED = '00000000-0000-4000-8000-000000000077'
NAMED = '00000000-0000-4000-8000-0000000001{:02}'
DAMAGE = (
    'len = len + 64', 'len = 0', 'len = -1', "len = 'x'", 'dpa = dpa + 64',
    'dpa = -dpa - 1', "tag = x'00'", 'tag = NULL', "tag = zeroblob(17)",
    'seq = 1', 'seq = 65536', 'len = len * 2', )
SHARED_DAMAGE = ("tag = x'11111111111111111111111111111111'", 'seq = 1')


def named(fm):
    """Tags and who has them, in no order."""
    return sorted(map(str, fm.json('tags')['tags']))


def restart(d, *hosts):
    """Each host and the daemon know the same before and behind it."""
    before = [host.list() for host in hosts]
    d.restart()
    for host, extents in zip(hosts, before):
        host.move(Line(d))
        equal(host.list(), extents)
    return before


@on_pool()
def what_is_left_of_an_extent_outlasts_the_daemon(d, fm):
    # where its regions begin is not where the medium does
    a, b = Host(Line(d), 0, base=256 * MIB), Host(Line(d), 1)
    fm.text(f'add --host 0 --size 16M --tag {TAG}')
    (dpa, _), = a.accept()
    fm.text('add --host 1 --size 4M')
    b.accept()
    restart(d, a, b)
    # from its middle, its front, its end, and all that is left
    for at, size in ((6, 2), (0, 2), (14, 2)):
        a.release((dpa + at * MIB, size * MIB))
        restart(d, a, b)
    equal(a.list(), [(dpa + 2 * MIB, 4 * MIB), (dpa + 8 * MIB, 6 * MIB)])
    # several of them, and what came into the gap, in one command
    fm.text(f'add --host 0 --extent {dpa + 6 * MIB:#x}+2M')
    a.accept()
    restart(d, a, b)
    a.release((dpa + 4 * MIB, 6 * MIB))
    equal(restart(d, a, b)[0],
          [(dpa + 2 * MIB, 2 * MIB), (dpa + 10 * MIB, 4 * MIB)])
    a.release((dpa + 2 * MIB, 2 * MIB), (dpa + 10 * MIB, 4 * MIB))
    equal(restart(d, a, b)[0], [])
    equal(len(b.list()), 1)


@on_pool()
def tags_outlast_the_daemon(d, fm):
    a, b = Host(Line(d), 0, base=256 * MIB), Host(Line(d), 1)
    for host, tag in ((a, 3), (b, 1), (a, 2)):
        fm.text(f'add --host {host.head} --size 4M --tag', NAMED.format(tag))
        host.accept()
    fm.text('add --host 1 --size 4M --tag', NAMED.format(4))
    before = named(fm)
    equal(len(before), 4)
    restart(d, a, b)
    equal(named(fm), before)
    # one ends, one that was offered is accepted
    a.release(a.list()[1])
    b.accept()
    before = named(fm)
    equal(len(before), 3)
    restart(d, a, b)
    equal(named(fm), before)
    # a name that is taken is so for all
    fm.refused(0x02, 'add --host 1 --size 4M --tag', NAMED.format(3))


@on_pool()
def a_shared_tag_keeps_its_order(d, fm):
    a, b = Host(Line(d), 0, base=256 * MIB), Host(Line(d), 1)
    fm.text(f'add --host 0 --region 1 --size 8M --tag {SHARED}')
    a.accept()
    fm.text(f'add --host 1 --region 1 --policy shared --tag {SHARED}')
    b.accept()
    restart(d, a, b)
    a.release(*a.list())
    equal([len(extents) for extents in restart(d, a, b)], [0, 1])


@on_pool()
def a_head_that_is_unplugged_leaves_nothing(d, fm):
    a, b = Host(Line(d), 0), Host(Line(d), 1)
    for host in (a, b):
        fm.text(f'add --host {host.head} --size 4M')
        host.accept()
    a.line.send(DETACH, b'', 0)
    b.sync()
    restart(d, b)
    equal(Host(Line(d), 0).list(), [])


@on_pool()
def a_damaged_extent_is_named(d, fm):
    a = Host(Line(d), 0)
    for place in ('4M', '8M'):
        fm.text(f'add --host 0 --size {place}')
        a.accept()
    fm.text(f'add --host 0 --region 1 --size 4M --tag {SHARED}')
    a.accept()
    d.kill()
    with tempfile.TemporaryDirectory() as folder:
        for which, damage in [*(('MIN', each) for each in DAMAGE),
                              *(('MAX', each) for each in SHARED_DAMAGE)]:
            there = os.path.join(folder, 'pool')
            shutil.rmtree(there, ignore_errors=True)
            os.mkdir(there)
            for end in ('', '-wal'):
                shutil.copy(d.path('pool/pool.db' + end), there)
            db = sqlite3.connect(os.path.join(there, 'pool.db'))
            db.execute(f'UPDATE extent SET {damage} WHERE dpa = '
                       f'(SELECT {which}(dpa) FROM extent)')
            db.commit()
            db.close()
            print('#', damage)
            wrong('model is damaged', *d.options, there)
    d.start()


run()
