#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages and the manual page build without warnings, and each page is found.

usage: test-docs.py TREE
"""

import os
import shutil
import subprocess
import sys
import tempfile

from cases import Skip, case, main

TREE = sys.argv[1]
PAGES = os.path.join(TREE, 'docs/system/devices')
# As the base's docs/conf.py; of a page of ours no other page is needed
CONF = "project = 'pages'\ndefault_role = 'any'\nmaster_doc = 'index'\n"


def run(*words):
    """Lines of a program that should say none; its failure is one."""
    if not shutil.which(words[0]):
        raise Skip(f'there is no {words[0]}')
    done = subprocess.run(words, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.splitlines() or done.returncode and [
        f'{words[0]} ended with {done.returncode}']


@case
def the_pages_build():
    with tempfile.TemporaryDirectory(prefix='cxl-docs-') as folder:
        shutil.copytree(os.path.join(TREE, 'docs'), folder, dirs_exist_ok=True)
        with open(os.path.join(folder, 'conf.py'), 'w', encoding='utf-8') as f:
            f.write(CONF)
        with open(os.path.join(folder, 'index.rst'), 'w',
                  encoding='utf-8') as f:
            f.write('Index\n=====\n\n.. toctree::\n   :glob:\n\n'
                    '   system/devices/*\n   interop/*\n   benchmarks\n'
                    '   compare\n')
        return run('sphinx-build', '-q', '-n', '-W', '--keep-going', folder,
                   os.path.join(folder, 'out'))


@case
def the_manual_builds():
    # "-z" is for no output but warnings
    return run('groff', '-man', '-ww', '-z', *(
        os.path.join(TREE, 'tools', name, name + '.1')
        for name in ('cxl-fm', 'cxl-poold')))


@case
def the_base_has_each_page_in_its_index():
    with open(os.path.join(TREE, 'scripts/base-hooks.txt'),
              encoding='utf-8') as f:
        hooks = f.read()
    # cxl.rst is in the base's own list
    return [name for name in sorted(os.listdir(PAGES))
            if name.endswith('.rst') and name != 'cxl.rst' and
            f'    devices/{name}\n' not in hooks]


@case
def readme_leads_to_each_page():
    with open(os.path.join(TREE, 'README.md'), encoding='utf-8') as f:
        text = f.read()
    return [name for name in sorted(os.listdir(PAGES))
            if name.endswith('.rst') and
            f'](docs/system/devices/{name})' not in text]


main()
