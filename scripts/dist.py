#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A tarball of this tree, which builds without git.

usage: dist.py FOLDER    writes FOLDER/qemu-cxl-VERSION.tar.gz
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tarfile

from tree_files import tree_files

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def date():
    """Of the last commit, so that the same tree gives the same bytes."""
    if os.path.exists(os.path.join(TOP, '.git')) and shutil.which('git'):
        done = subprocess.run(['git', '-C', TOP, 'log', '-1', '--format=%ct'],
                              stdout=subprocess.PIPE, check=False)
        if done.returncode == 0:
            return int(done.stdout)
    return int(os.stat(os.path.join(TOP, 'meson.build')).st_mtime)


def main():
    with open(os.path.join(TOP, 'meson.build'), encoding='utf-8') as file:
        version = re.search(r"version: '([^']+)'", file.read())[1]
    name = f'qemu-cxl-{version}'
    path = os.path.join(sys.argv[1], name + '.tar.gz')
    when = date()
    os.makedirs(sys.argv[1], exist_ok=True)
    with open(path, 'wb') as raw, \
            gzip.GzipFile('', 'wb', mtime=when, fileobj=raw) as packed, \
            tarfile.open(fileobj=packed, mode='w') as tar:
        for file in tree_files(TOP):
            info = tar.gettarinfo(os.path.join(TOP, file), f'{name}/{file}')
            info.uid = info.gid = 0
            info.uname = info.gname = 'root'
            info.mtime = when
            info.mode = 0o755 if info.mode & 0o100 else 0o644
            if info.isreg():
                with open(os.path.join(TOP, file), 'rb') as content:
                    tar.addfile(info, content)
            else:
                tar.addfile(info)
    print(path)


if __name__ == '__main__':
    main()
