#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests that are built inside QEMU's build and belong to this tree.

QEMU's meson knows them (meson-info/intro-tests.json). Ours are those whose
program stands below one of SUITES in a folder of this tree, so that a test
that is added to a meson.build there is found without a second list. Of the
base's own tests those that look at CXL are taken in too.

    base-tests.py QEMU list      name, suite, seconds, protocol: one test a line
    base-tests.py QEMU targets   what ninja must build for them
    base-tests.py QEMU run NAME  becomes the test, as QEMU's meson would run it
    base-tests.py QEMU run NAME LOADER [SAVER]
                                 ... with other QEMUs where it migrates: who
                                 loads the stream, and who does all else
"""

import json
import os
import shlex
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUITES = {'tests/unit/': 'unit', 'tests/qtest/': 'qtest',
          'tests/fuzz/': 'qtest'}
# the base's own, and what of them is about CXL
BASE = {
    'qtest-x86_64/cxl-test': [],
    'qtest-x86_64/bios-tables-test': ['-p', '/x86_64/acpi/q35/cxl'],
}


class Test:
    """One row of QEMU's list."""

    def __init__(self, qemu, row):
        self.row, self.extra = row, []
        self.program = os.path.relpath(row['cmd'][0], qemu)
        self.name = row['name'].replace(':', '-')
        self.suite = None
        folder = os.path.dirname(self.program)
        if self.name in BASE:
            self.suite, self.extra = 'base', BASE[self.name]
        elif os.path.isfile(os.path.join(TOP, folder, 'meson.build')):
            self.suite = next((suite for place, suite in SUITES.items() if
                               f'{folder}/'.startswith(place)), None)


def ours(qemu):
    path = os.path.join(qemu, 'meson-info', 'intro-tests.json')
    with open(path, encoding='utf-8') as file:
        tests = [Test(qemu, row) for row in json.load(file)]
    return [test for test in tests if test.suite]


def run(qemu, name, loader=None, saver=None):
    for test in ours(qemu):
        if test.name == name:
            os.chdir(test.row['workdir'] or qemu)
            os.environ.update(test.row['env'])
            if test.suite == 'base':
                wrapper = os.path.join(TOP, 'scripts', 'without-kvm.sh')
                os.environ['QTEST_QEMU_BINARY'] = \
                    f"'{wrapper}' {test.row['env']['QTEST_QEMU_BINARY']}"
            if loader:
                words = [os.path.join(TOP, 'scripts', 'across-bases.sh'),
                         saver or test.row['env']['QTEST_QEMU_BINARY'], loader]
                os.environ['QTEST_QEMU_BINARY'] = shlex.join(words)
            command = test.row['cmd'] + test.extra
            os.execv(command[0], command)
    sys.exit(f"QEMU's build has no test {name}")


def main():
    qemu, action = os.path.realpath(sys.argv[1]), sys.argv[2]
    if action == 'list':
        for test in ours(qemu):
            print(test.name, test.suite, test.row['timeout'],
                  test.row['protocol'], sep='\t')
    elif action == 'targets':
        for target in sorted({test.program for test in ours(qemu)}):
            print(target)
    else:
        run(qemu, *sys.argv[3:])


if __name__ == '__main__':
    main()
