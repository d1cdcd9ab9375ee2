#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hw/cxl/meson.build refuses a big-endian host, and only with CXL.

usage: test-host-endian.py TREE MESON
"""

import os
import subprocess
import sys
import tempfile

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


def main():
    tree, meson = sys.argv[1:]
    with_cxl = "{'CONFIG_CXL': 'y'}"
    cases = [('big-endian-host-is-refused', 'big', with_cxl, False),
             ('big-endian-host-without-cxl-builds', 'big', '{}', True),
             ('little-endian-host-builds', 'little', with_cxl, True)]
    bad = 0

    print(f'1..{len(cases)}')
    for n, (name, endian, config, good) in enumerate(cases, 1):
        status, said = setup(tree, meson, endian, config)
        told = 'CXL devices need a little-endian host' in said
        right = (status == 0) == good and told != good
        bad += not right
        print(f'{"" if right else "not "}ok {n} - {name}')
        if not right:
            print('\n'.join('# ' + line for line in said.splitlines()))
    return bad != 0


if __name__ == '__main__':
    sys.exit(main())
