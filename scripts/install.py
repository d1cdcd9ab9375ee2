#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts what was built below a prefix, or takes it away again.

QEMU looks for firmware and keymaps beside the folder that it stands in
(../share/qemu), so a prefix may be moved and staged (--destdir).  The
firmware is a copy of what the build uses.  share/qemu-cxl/files lists all that
was put there; a file that is somebody else's is never replaced or removed.
"""

import argparse
import glob
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = 'share/qemu-cxl/files'
FIRMWARE = ('bios*.bin', 'qboot.rom', 'vgabios*.bin', 'efi-*.rom', 'pxe-*.rom',
            'kvmvapic.bin', 'linuxboot*.bin', 'multiboot*.bin', 'pvh.bin')
DOCS = ('README.md', 'LICENSE', 'docs/benchmarks.rst', 'docs/compare.rst',
        'docs/*.svg', 'docs/system/devices/*.rst', 'docs/interop/*.rst')


def firmware_folders(build):
    """Where the build looks for firmware, first come first served."""
    with open(os.path.join(build, 'signature'), encoding='utf-8') as file:
        for line in file:
            if line.startswith('--firmwarepath='):
                return line.strip().split('=', 1)[1].split(':')
    return sys.exit(f'{build}/signature has no --firmwarepath')


def wanted(build):
    """Maps paths below the prefix to source and mode."""
    files = {
        'bin/qemu-system-x86_64': (f'{build}/qemu/qemu-system-x86_64', 0o755),
        'bin/cxl-fm': (f'{build}/own/tools/cxl-fm/cxl-fm', 0o755),
        'share/man/man1/cxl-fm.1': (f'{TOP}/tools/cxl-fm/cxl-fm.1', 0o644),
    }
    poold = f'{build}/qemu/tools/cxl-poold/cxl-poold'
    if os.path.exists(poold):
        files |= {
            'bin/cxl-poold': (poold, 0o755),
            'share/man/man1/cxl-poold.1':
                (f'{TOP}/tools/cxl-poold/cxl-poold.1', 0o644),
        }
        for unit in glob.glob(f'{TOP}/tools/cxl-poold/cxl-poold*@.*'):
            files[f'lib/systemd/user/{os.path.basename(unit)}'] = unit, 0o644
    for pattern in DOCS:
        for path in glob.glob(os.path.join(TOP, pattern)):
            name = os.path.relpath(path, TOP)
            files[f'share/doc/qemu-cxl/{name}'] = path, 0o644
    folders = firmware_folders(build)
    for folder in folders:
        for pattern in FIRMWARE:
            for path in glob.glob(os.path.join(folder, pattern)):
                name = os.path.basename(path)
                files.setdefault(f'share/qemu/{name}', (path, 0o644))
        for path in glob.glob(os.path.join(folder, 'keymaps', '*')):
            name = os.path.basename(path)
            files.setdefault(f'share/qemu/keymaps/{name}', (path, 0o644))
    for name in ('bios-256k.bin', 'vgabios-stdvga.bin', 'kvmvapic.bin'):
        if f'share/qemu/{name}' not in files:
            sys.exit(f'no {name} in {" ".join(folders)}')
    for path, _ in files.values():
        if not os.path.isfile(path):
            sys.exit(f'{path} is not there: make')
    return files


def listed(root):
    try:
        with open(os.path.join(root, LIST), encoding='utf-8') as file:
            return set(file.read().split('\n')) - {''}
    except FileNotFoundError:
        return set()


def remove(root, paths):
    """Files, and the folders that have nothing left in them."""
    for path in paths:
        # a list that was changed by hand leads nowhere else
        if os.path.isabs(path) or '..' in path.split('/'):
            continue
        if os.path.lexists(os.path.join(root, path)):
            os.unlink(os.path.join(root, path))
        folder = path
        while folder:
            folder = os.path.dirname(folder)
            try:
                os.rmdir(os.path.join(root, folder))
            except OSError:
                break


def install(root, files):
    mine = listed(root)
    for path in sorted(files.keys() - mine):
        if os.path.lexists(os.path.join(root, path)):
            sys.exit(f'{os.path.join(root, path)} was not put there by '
                     '"make install"; choose another PREFIX')
    paths = sorted(files) + [LIST]
    # noted first: what was interrupted can be taken away
    os.makedirs(os.path.dirname(os.path.join(root, LIST)), exist_ok=True)
    with open(os.path.join(root, LIST), 'w', encoding='utf-8') as file:
        file.write('\n'.join(sorted(mine | set(paths))) + '\n')
    for path, (source, mode) in sorted(files.items()):
        target = os.path.join(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        # a program that runs keeps its own
        part = target + '.part'
        shutil.copyfile(source, part)
        if mode == 0o755 and shutil.which('strip'):
            subprocess.run(['strip', part], check=True)
        os.chmod(part, mode)
        os.replace(part, target)
    remove(root, mine - set(paths))
    with open(os.path.join(root, LIST), 'w', encoding='utf-8') as file:
        file.write('\n'.join(paths) + '\n')
    print(f'{len(paths)} files below {root}')


def uninstall(root):
    mine = listed(root)
    if not mine:
        sys.exit(f'{os.path.join(root, LIST)} is not there: nothing of '
                 '"make install"')
    remove(root, sorted(mine - {LIST}) + [LIST])
    print(f'{len(mine)} files removed from {root}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--uninstall', action='store_true')
    parser.add_argument('--destdir', default='',
                        help='a folder that stands for / now')
    parser.add_argument('build', help='the build folder')
    parser.add_argument('prefix', help='where it will be, /usr/local')
    args = parser.parse_args()
    if not os.path.isabs(args.prefix):
        sys.exit(f'PREFIX={args.prefix} does not begin with /')
    root = os.path.normpath(args.destdir + args.prefix)
    if args.uninstall:
        uninstall(root)
    else:
        install(root, wanted(os.path.abspath(args.build)))


if __name__ == '__main__':
    main()
