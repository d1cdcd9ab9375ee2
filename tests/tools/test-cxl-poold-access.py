#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may connect to cxl-poold, and by which sockets.

usage: test-cxl-poold-access.py CXL-POOLD CXL-FM [CASE...]
"""

import ctypes
import multiprocessing
import os
import socket
import stat
import subprocess
import sys

# it goes first: fm_cases goes by the arguments as it leaves them
from poold_cases import POOLD, attached, wrong
from fm_cases import Fm, Skip, case, equal, has, run
from poold import Closed, Daemon, FmLine, Host, Line

NOBODY = 65534
STRANGER = 54321
CLUB = 54322


# -- socket activation (sd_listen_fds(3)) -------------------------------------

# Passes descriptors, from 3 on, as systemd does
ACTIVATE = '''
import fcntl, os, sys
names, fds, *line = sys.argv[1:]
fds = [fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, 100)
       for fd in fds.split(',')]
for at, fd in enumerate(fds, 3):
    os.dup2(fd, at)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
if names:
    os.environ['LISTEN_FDNAMES'] = names
os.execv(line[0], line)
'''


def activation(names, sockets):
    return ([sys.executable, '-c', ACTIVATE, names,
             ','.join(str(s.fileno()) for s in sockets)],
            [s.fileno() for s in sockets])


def listening(path=None):
    s = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    s.bind(path or ('127.0.0.1', 0))
    s.listen()
    return s


class Activated(Daemon):
    """Its sockets are there before it is, and outlive it."""

    def __init__(self, *names):
        self.names = names
        self.sockets = []
        super().__init__(POOLD)

    @property
    def heads(self):
        return self.path('heads')

    def start(self):
        if not self.sockets:
            self.sockets = [listening(self.path(n)) for n in self.names]
        line, fds = activation(':'.join(self.names), self.sockets)
        self.process = subprocess.Popen(
            [*line, POOLD, self.path('pool')], pass_fds=fds,
            stdin=subprocess.DEVNULL, stderr=self.errors)


@case
def it_takes_sockets_that_are_passed_to_it():
    with Activated('fm', 'heads') as d:
        fm = Fm('unix:' + d.path('fm'))
        a = Host(Line(d), 0)
        fm.text('add --host 0 --size 2M')
        known = a.accept()
        equal(sorted(n for n in os.listdir(d.path('pool'))
                     if n.endswith('.sock')), [])
        # whoever connects while it is away waits
        d.kill()
        line = FmLineAt(d.path('fm'))
        d.start()
        equal(line.command(0x5600)[0], 0)
        a.move(Line(d))
        equal(a.list(), known)


class FmLineAt(FmLine):
    """FmLine of a socket elsewhere."""

    def __init__(self, path):
        class Somewhere:
            def path(self, _):
                return path
        super().__init__(Somewhere())


@case
def a_socket_that_is_not_passed_is_in_the_folder():
    with Activated('heads') as d:
        a = Host(Line(d), 0)
        Fm(d.fm).text('add --host 0 --size 2M')
        equal(len(a.accept()), 1)
        equal([n for n in os.listdir(d.path('pool')) if n.endswith('.sock')],
              ['fm.sock'])


def wrong_sockets(pattern, names, *sockets):
    with Daemon(POOLD) as d:
        line, fds = activation(names, sockets)
        wrong(pattern, POOLD, d.path('other'), line=line, pass_fds=fds)
        # they are whoever's they were
        for s in sockets:
            s.close()


@case
def sockets_that_are_not_for_it_are_named():
    for pattern, names, *sockets in (
            ("passes 'head': the names are heads and fm", 'head', listening()),
            ("'heads' is no unix socket", 'heads', listening()),
            ("'fm' is no stream socket that listens", 'fm',
             socket.socket(socket.AF_UNIX)),
            ("'fm' is no stream socket that listens", 'fm',
             socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
            ('passes 2 sockets with 1 names', 'fm', listening(), listening()),
            ('passes 1 sockets with 0 names', '', listening())):
        wrong_sockets(pattern, names, *sockets)


@case
def descriptors_for_another_process_are_left_alone():
    with Daemon(POOLD) as d:
        env = dict(os.environ, LISTEN_PID='1', LISTEN_FDS='9',
                   LISTEN_FDNAMES='what')
        wrong('is that of another cxl-poold', d.path('pool'), env=env)


@case
def managers_do_not_take_the_place_of_heads():
    with Daemon(POOLD) as d:
        lines = [FmLine(d) for _ in range(64)]
        for line in lines:
            equal(line.command(0x5600)[0], 0)
        equal(fm_or_closed(d), 'closed')
        equal(head_of(d), 'welcome')
        heard(d, 'there are 64 Fabric Managers: no more are taken')
        lines.pop().close()
        while fm_or_closed(d) == 'closed':
            pass
        for line in lines:
            line.close()


def fm_or_closed(d):
    line = FmLine(d)
    try:
        return line.command(0x5600)[0]
    except Closed:
        return 'closed'
    finally:
        line.close()


# -- TCP ----------------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@case
def a_fabric_manager_may_come_by_tcp():
    ports = free_port(), free_port()
    with Daemon(POOLD, *(f'--fm-tcp=127.0.0.1:{p}' for p in ports)) as d:
        a = Host(Line(d), 0)
        for port in ports:
            Fm(f'tcp:127.0.0.1:{port}').text('add --host 0 --size 2M')
        equal(len(a.accept()), 2)
        # the same port again, when it was killed
        d.restart()
        has(Fm(f'tcp:127.0.0.1:{ports[0]}').text('info'), '^4 hosts')


@case
def addresses_that_make_no_sense_are_named():
    with Daemon(POOLD) as d:
        with listening() as taken:
            for address in ('nonsense', '127.0.0.1:x',
                            f'127.0.0.1:{taken.getsockname()[1]}'):
                wrong('--fm-tcp: ', '--fm-tcp', address, d.path('other'))


# -- memory of a daemon that may not look into its heads' processes ------------

SET_DUMPABLE = 4        # of prctl(2)


class Unseen(Daemon):
    """It cannot open descriptors of our process: it is another user's, or, if
    we cannot be somebody else than it, we forbid it."""

    def __init__(self):
        self.dumpable(os.geteuid() == 0)
        super().__init__(POOLD, '--size=1G',
                         user=None if os.geteuid() else NOBODY)

    def dumpable(self, on):
        assert ctypes.CDLL(None).prctl(SET_DUMPABLE, on, 0, 0, 0) == 0

    def __exit__(self, *_):
        self.dumpable(True)
        super().__exit__(*_)


def first(d):
    a = Host(Line(d), 0)
    Fm(d.fm).text('add --host 0 --size 4M')
    (dpa, length), = a.accept()
    a.write(dpa, b'kept')
    return a, dpa, length


def refused(d, fd=None):
    try:
        Line(d, brings=fd)
    except Closed as closed:
        has(str(closed), 'memory of the pool is that of machines which have '
            'not connected yet')
    else:
        raise AssertionError('there is memory')


@case
def memory_comes_back_with_the_machine_that_has_it():
    with Unseen() as d:
        a, dpa, length = first(d)
        memory = a.line.fds[0]
        d.restart()
        refused(d)
        # the manager is not kept waiting, and nothing is overwritten
        fm = Fm(d.fm)
        fm.text(f'release --host 0 --forced --extent {dpa:#x}+2M')
        equal(bytes(a.line.memory[dpa:dpa + 4]), b'kept')
        # another memory, and one that cannot be written
        other = os.memfd_create('other')
        os.truncate(other, 1 << 30)
        refused(d, other)
        refused(d, os.open(f'/proc/self/fd/{memory}', os.O_RDONLY))
        a.move(Line(d, brings=memory))
        a.sync()
        equal(list(a.view), [dpa + (2 << 20)])
        while fm.json('map', '--host', 0)['leaving']:
            pass
        equal(bytes(a.line.memory[dpa:dpa + 4]), bytes(4))
        # who is new has it now
        b = Host(Line(d), 1)
        equal(os.fstat(b.line.fds[0]).st_ino, os.fstat(memory).st_ino)


@case
def memory_ends_with_the_last_machine_that_has_it():
    with Unseen() as d:
        here, there = multiprocessing.Pipe()

        def serve():
            _, dpa, _ = first(d)
            there.send(dpa)
            there.recv()

        process = multiprocessing.get_context('fork').Process(target=serve)
        process.start()
        dpa = here.recv()
        d.restart()
        refused(d)
        process.kill()
        process.join()
        a = attached(d, 0, meanwhile='not connected yet|is that of process')
        # its capacity stays, and is empty
        equal(a.read(dpa, 4), bytes(4))


# -- credentials --------------------------------------------------------------

def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def modes(d):
    return [mode(d.path('pool' + n)) & 0o777
            for n in ('', '/pool.db', '/heads.sock', '/fm.sock')]


@case
def a_socket_is_open_to_others_if_somebody_else_may_connect():
    with Daemon(POOLD) as d:
        equal(modes(d), [0o700, 0o600, 0o600, 0o600])
    with Daemon(POOLD, f'--allow-heads=user:{STRANGER}') as d:
        equal(modes(d), [0o711, 0o600, 0o666, 0o600])
    with Daemon(POOLD, '--allow-fm=group:0') as d:
        equal(modes(d), [0o711, 0o600, 0o600, 0o666])


@case
def who_is_nobody_is_named():
    for option in ('--allow-heads', '--allow-fm'):
        for who, words in (('root', 'is neither user:NAME nor group:NAME'),
                           ('user:no-such-user', 'there is no user:no-such'),
                           ('group:no-such-one', 'there is no group:no-such'),
                           ('user:', 'there is no user:'),
                           ('user:-1', 'there is no user:-1'),
                           ('user:4294967295', 'there is no user:42949')):
            wrong(words, option, who, '/proc/nowhere')


def as_user(user, group, groups, function):
    """What @function says in a process of somebody else."""
    here, there = multiprocessing.Pipe()

    def begin():
        os.setgroups(groups)
        os.setgid(group)
        os.setuid(user)
        try:
            there.send(function())
        except (Closed, OSError) as error:
            there.send(f'{type(error).__name__} {error}')

    process = multiprocessing.get_context('fork').Process(target=begin)
    process.start()
    said = here.recv()
    process.join()
    return said


def head_of(d):
    line = Line(d)
    line.close()
    return 'welcome'


def fm_of(d):
    return FmLine(d).command(0x5600)[0]


def reachable(*options):
    if os.geteuid():
        raise Skip('only root can be another user')
    d = Daemon(POOLD, *options)
    os.chmod(d.folder.name, 0o711)
    return d


def heard(d, pattern):
    has(d.words(), pattern)
    d.errors.truncate(0)


@case
def users_and_groups_that_are_not_allowed_are_refused():
    d = reachable(f'--allow-heads=user:{STRANGER}',
                  f'--allow-fm=group:{CLUB}')
    with d:
        other = NOBODY, NOBODY, []
        has(as_user(*other, lambda: head_of(d)),
            f'user {NOBODY} may not have a head: cxl-poold --allow-heads says')
        equal(as_user(STRANGER, NOBODY, [], lambda: head_of(d)), 'welcome')
        # one is not the other
        has(as_user(STRANGER, STRANGER, [STRANGER], lambda: fm_of(d)),
            '^Closed')
        heard(d, f'user {STRANGER} may not be a Fabric Manager: --allow-fm')
        has(as_user(NOBODY, CLUB, [], lambda: head_of(d)), 'may not have')
        for group, groups in ((CLUB, []), (NOBODY, [CLUB]),
                              (NOBODY, [STRANGER, CLUB, NOBODY])):
            equal(as_user(NOBODY, group, groups, lambda: fm_of(d)), 0)
        # the user who has started it may always
        equal(head_of(d), 'welcome')
        equal(fm_of(d), 0)


@case
def nobody_else_gets_in_by_default():
    d = reachable()
    with d:
        os.chmod(d.path('pool'), 0o711)
        for function in (head_of, fm_of):
            has(as_user(NOBODY, NOBODY, [], lambda f=function: f(d)),
                '^PermissionError')
        # nor if somebody opens the door
        for name in ('heads', 'fm'):
            os.chmod(d.path(f'pool/{name}.sock'), 0o666)
        has(as_user(NOBODY, NOBODY, [], lambda: head_of(d)), 'may not have')
        has(as_user(NOBODY, NOBODY, [], lambda: fm_of(d)), '^Closed')
        heard(d, f'user {NOBODY} may not be')


run()
