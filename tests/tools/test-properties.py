#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each property of each device of ours says what it is for.

The types are those that our sources register; what a type has from one of the
base, PCI's properties for example, is the base's affair.

usage: test-properties.py TREE QEMU
"""

import glob
import json
import re
import subprocess
import sys

CAPACITY_BLOCK = 2 << 20
# What the base says of each property of a kind
NOTHING = (None, '', 'on/off')


class Monitor:
    """QMP over the standard streams of a machine without devices."""

    def __init__(self, qemu):
        self.process = subprocess.Popen(
            [qemu, '-M', 'none', '-nodefaults', '-display', 'none',
             '-accel', 'qtest', '-qmp', 'stdio'], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.ask('qmp_capabilities')

    def ask(self, command, **arguments):
        self.process.stdin.write(json.dumps(
            {'execute': command, 'arguments': arguments}) + '\n')
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if 'error' in answer:
            raise RuntimeError(f'{command} {arguments}: {answer["error"]}')
        return answer['return']

    def end(self):
        self.process.communicate('{"execute": "quit"}')


def registered(tree):
    """The names in the TypeInfo of our sources."""
    words = {}
    names = set()
    texts = []
    for path in glob.glob(f'{tree}/hw/**/*.[ch]', recursive=True) + \
            glob.glob(f'{tree}/include/**/*.h', recursive=True):
        with open(path, encoding='utf-8') as file:
            texts.append(file.read())
        words.update(re.findall(r'#define (TYPE_\w+)\s+"([^"]+)"', texts[-1]))
    for text in texts:
        for body in re.findall(r'TypeInfo \w+(?:\[\])? = \{(.*?)\n\};', text,
                               re.S):
            for name in re.findall(r'\.name = (\w+|"[^"]+")', body):
                names.add(words[name] if name in words else name.strip('"'))
    return sorted(names)


def listed(monitor, name, abstract):
    command = 'qom-list-properties' if abstract else 'device-list-properties'
    return monitor.ask(command, typename=name)


def undescribed(monitor, ours):
    types = {t['name']: t for t in
             monitor.ask('qom-list-types', implements='device', abstract=True)}
    seen = 0
    for name in ours:
        if name not in types:
            continue
        parent = types[name]['parent']
        inherited = {p['name'] for p in
                     monitor.ask('qom-list-properties', typename=parent)}
        for prop in listed(monitor, name, types[name].get('abstract')):
            if prop['name'] not in inherited:
                seen += 1
                if prop.get('description') in NOTHING:
                    yield f'{name}: {prop["name"]}'
    # or this looked at nothing
    assert seen > 100, seen


def wrong_defaults(monitor):
    for prop in monitor.ask('device-list-properties', typename='cxl-type3'):
        if prop['name'].endswith('-block-size') and \
                prop.get('default-value') != CAPACITY_BLOCK:
            yield f'{prop["name"]}: {prop.get("default-value")}'


def main():
    tree, qemu = sys.argv[1:]
    monitor = Monitor(qemu)
    bad = False
    print('1..2')
    for number, name, found in (
            (1, 'every-property-says-what-it-is-for',
             list(undescribed(monitor, registered(tree)))),
            (2, 'the-default-that-is-shown-is-the-one-that-is-used',
             list(wrong_defaults(monitor)))):
        for line in found:
            print(f'# {line}')
        print(f'{"not " if found else ""}ok {number} - {name}')
        bad |= bool(found)
    monitor.end()
    return bad


if __name__ == '__main__':
    sys.exit(main())
