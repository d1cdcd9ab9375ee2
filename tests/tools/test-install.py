#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make install, uninstall and dist: what is put where, and that it works.

usage: test-install.py TREE BUILD
BUILD has qemu/qemu-system-x86_64 and own/tools/cxl-fm/cxl-fm.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

TREE, BUILD = sys.argv[1:3]
SCRIPTS = os.path.join(TREE, 'scripts')
sys.path.insert(0, SCRIPTS)
# pylint: disable=wrong-import-position
import install
import overlay
from cases import Skip, case, main
from tree_files import tree_files

MACHINE = ('-M', 'q35,cxl=on,cxl-fmw.0.targets.0=hb0,cxl-fmw.0.size=4G',
           '-m', '128M,maxmem=4G,slots=2',
           '-object', 'memory-backend-ram,id=m,size=256M',
           '-device', 'pxb-cxl,id=hb0,bus=pcie.0,bus_nr=12',
           '-device', 'cxl-rp,id=rp0,bus=hb0,port=0,chassis=0,slot=2',
           '-device', 'cxl-type3,bus=rp0,volatile-memdev=m',
           '-device', 'virtio-net-pci,bus=pcie.0',
           '-accel', 'tcg', '-display', 'none', '-monitor', 'stdio', '-S')


def run(*command, fails=False, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False, timeout=120,
                          **more)
    assert (done.returncode != 0) == fails, f'{command}: {done.stdout}'
    return done.stdout


def script(*args, **more):
    return run(sys.executable, os.path.join(SCRIPTS, 'install.py'), *args,
               **more)


def files_below(folder):
    return {os.path.relpath(os.path.join(where, name), folder)
            for where, _, names in os.walk(folder) for name in names}


def start(program, before=()):
    """Starts a machine with CXL, which needs a BIOS and an option ROM."""
    out = run(*before, program, *MACHINE, input='info roms\nquit\n')
    assert 'bios-256k.bin' in out, out


@case
def it_runs_where_it_was_put(folder):
    root = os.path.join(folder, 'anywhere')
    script(BUILD, root)
    program = os.path.join(root, 'bin/qemu-system-x86_64')
    start(program)
    folders = run(program, '-L', 'help')
    assert os.path.join(root, 'bin', '../share/qemu') in folders, folders
    moved = os.path.join(folder, 'moved')
    os.rename(root, moved)
    start(os.path.join(moved, 'bin/qemu-system-x86_64'))
    assert 'usage' in run(os.path.join(moved, 'bin/cxl-fm'), '--help').lower()
    assert os.path.exists(os.path.join(moved, 'share/man/man1/cxl-fm.1'))
    for name in ('README.md', 'docs/system/devices/cxl.rst'):
        assert os.path.exists(
            os.path.join(moved, 'share/doc/qemu-cxl', name)), name


@case
def it_runs_without_the_systems_firmware(folder):
    root = os.path.join(folder, 'alone')
    script(BUILD, root)
    hide = '; '.join(f'mount -t tmpfs none {path}'
                     for path in install.firmware_folders(BUILD)
                     if os.path.isdir(path))
    inside = ('unshare', '--mount', '--map-root-user', 'sh', '-ec',
              hide + '; exec "$@"', 'sh')
    if not shutil.which('unshare') or subprocess.run(
            [*inside, 'true'], stderr=subprocess.DEVNULL,
            check=False).returncode:
        raise Skip('no mount namespaces here')
    program = os.path.join(root, 'bin/qemu-system-x86_64')
    start(program, inside)
    # or it found them elsewhere
    for name in ('efi-virtio.rom', 'bios-256k.bin'):
        os.unlink(os.path.join(root, 'share/qemu', name))
        out = run(*inside, program, *MACHINE, input='quit\n', fails=True)
        assert name in out, out


@case
def uninstalling_leaves_nothing(folder):
    stage = os.path.join(folder, 'stage')
    args = ('--destdir', stage, BUILD, '/opt/x')
    script(*args)
    first = files_below(stage)
    assert 'opt/x/bin/qemu-system-x86_64' in first, first
    assert first == {os.path.join('opt/x', path) for path in
                     set(install.wanted(BUILD)) | {install.LIST}}
    # again: no more, no less; what is no longer installed goes
    extra = os.path.join(stage, 'opt/x/share/doc/qemu-cxl/gone.rst')
    with open(extra, 'w', encoding='utf-8') as file:
        file.write('of an older release\n')
    with open(os.path.join(stage, 'opt/x', install.LIST), 'a',
              encoding='utf-8') as file:
        file.write('share/doc/qemu-cxl/gone.rst\n')
    script(*args)
    assert files_below(stage) == first
    theirs = os.path.join(stage, 'opt/x/share/theirs')
    with open(theirs, 'w', encoding='utf-8') as file:
        file.write('of somebody else\n')
    script('--uninstall', *args)
    assert files_below(stage) == {'opt/x/share/theirs'}
    os.unlink(theirs)
    script(*args)
    script('--uninstall', *args)
    assert not os.path.exists(os.path.join(stage, 'opt/x'))
    assert 'nothing of' in script('--uninstall', *args, fails=True)


@case
def what_is_somebody_elses_stays(folder):
    root = os.path.join(folder, 'usr')
    program = os.path.join(root, 'bin/qemu-system-x86_64')
    os.makedirs(os.path.dirname(program))
    with open(program, 'w', encoding='utf-8') as file:
        file.write('of the distribution\n')
    out = script(BUILD, root, fails=True)
    assert program in out and 'PREFIX' in out, out
    assert files_below(root) == {'bin/qemu-system-x86_64'}
    with open(program, encoding='utf-8') as file:
        assert file.read() == 'of the distribution\n'
    assert 'does not begin' in script(BUILD, 'usr', fails=True)


@case
def a_tarball_has_the_tree_and_needs_no_git(folder):
    path = run(sys.executable, os.path.join(SCRIPTS, 'dist.py'),
               folder).strip()
    with tarfile.open(path) as tar:
        tar.extractall(folder)
    tree = path[:-len('.tar.gz')]
    assert tree_files(tree) == tree_files(TREE)
    assert os.path.exists(os.path.join(tree, 'configure'))
    for name in tree_files(tree):
        ours, theirs = os.path.join(TREE, name), os.path.join(tree, name)
        with open(ours, 'rb') as one, open(theirs, 'rb') as other:
            assert one.read() == other.read(), name
        assert os.access(ours, os.X_OK) == os.access(theirs, os.X_OK), name
    with open(os.path.join(TREE, 'build/src.base'), encoding='utf-8') as file:
        base = file.read().rsplit(' ', 1)[0].strip()
    assert overlay.wanted(tree, base) == overlay.wanted(TREE, base)
    # without a git that could be asked
    out = run(sys.executable, os.path.join(tree, 'tests/tools/test-files.py'),
              tree, os.path.join(TREE, 'build/src'), env={'PATH': folder})
    assert 'not ok' not in out, out
    again = run(sys.executable, os.path.join(tree, 'scripts/dist.py'),
                os.path.join(folder, 'again'), env={'PATH': folder}).strip()
    with tarfile.open(path) as one, tarfile.open(again) as other:
        assert one.getnames() == other.getnames()


main(around=lambda: tempfile.TemporaryDirectory(prefix='install-test-'))
