#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hw/cxl/meson.build refuses a big-endian host, and only with CXL.

usage: test-host-endian.py TREE MESON
"""

import os
import subprocess
import sys
import tempfile

from cases import case, main

# What QEMU's own build file has defined when it enters hw/cxl; the disabler
# stands for a linker without --wrap
PROJECT = """project('host', 'c')
genh = []
cc = disabler()
config_all_devices = {config}
system_ss = import('sourceset').source_set()
specific_ss = import('sourceset').source_set()
subdir('hw/cxl')
"""
CROSS = """[binaries]
c = 'cc'
[host_machine]
system = 'linux'
cpu_family = '{cpu}'
cpu = '{cpu}'
endian = '{endian}'
"""


def setup(tree, meson, endian, config):
    """The exit status of meson, and what it said."""
    cpu = {'big': 's390x', 'little': 'x86_64'}[endian]
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'meson.build'), 'w',
                  encoding='ascii') as file:
            file.write(PROJECT.format(config=config))
        cross = os.path.join(folder, 'cross.ini')
        with open(cross, 'w', encoding='ascii') as file:
            file.write(CROSS.format(cpu=cpu, endian=endian))
        os.mkdir(os.path.join(folder, 'hw'))
        os.symlink(os.path.join(tree, 'hw/cxl'),
                   os.path.join(folder, 'hw/cxl'))
        run = subprocess.run(
            [meson, 'setup', '--cross-file', cross,
             os.path.join(folder, 'build'), folder],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
    return run.returncode, run.stdout


def says(endian, config):
    """Whether it builds, and whether it says why not."""
    status, said = setup(*sys.argv[1:], endian, config)
    return not status, 'CXL devices need a little-endian host' in said, said


WITH_CXL = "{'CONFIG_CXL': 'y'}"


@case
def big_endian_host_is_refused():
    built, told, said = says('big', WITH_CXL)
    assert not built and told, said


@case
def big_endian_host_without_cxl_builds():
    built, told, said = says('big', '{}')
    assert built and not told, said


@case
def little_endian_host_builds():
    built, told, said = says('little', WITH_CXL)
    assert built and not told, said


main()
