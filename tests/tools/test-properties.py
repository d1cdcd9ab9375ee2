#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each property of each device of ours says what it is for, in the monitor and
in the pages.

The types are those that our sources register; what a type has from one of the
base, PCI's properties for example, is the base's affair. Tables of the pages
explain some of these, too: their names have to exist.

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
# What abstract types of the base give to each object and not to the class
OF_INSTANCES = {'usb-device': {'attached'}}


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


def own_properties(monitor, ours):
    """Type and property of what our sources add."""
    types = {t['name']: t for t in
             monitor.ask('qom-list-types', implements='device', abstract=True)}
    for name in ours:
        if name not in types:
            continue
        parent = types[name]['parent']
        inherited = {p['name'] for p in
                     monitor.ask('qom-list-properties', typename=parent)}
        inherited |= OF_INSTANCES.get(parent, set())
        for prop in listed(monitor, name, types[name].get('abstract')):
            if prop['name'] not in inherited:
                yield name, prop


def undescribed(own):
    for name, prop in own:
        if prop.get('description') in NOTHING:
            yield f'{name}: {prop["name"]}'


def unexplained(own, text):
    for name, prop in own:
        # the pages speak of all regions at once
        shown = re.sub(r'^dc\d-', 'dcN-', prop['name'])
        if f'``{shown}``' not in text:
            yield f'{name}: {prop["name"]}'


def unknown(monitor, text):
    """What a table "``DEVICE``" or "Property of ``DEVICE``" makes up."""
    tables = re.findall(r'^\.\. list-table::(.*\n(?: .*\n|\n)*)', text, re.M)
    seen = 0
    for table in tables:
        name = re.match(r' ``([\w-]+)``|[^*]*\* - Property of ``([\w-]+)``',
                        table)
        if not name:
            continue
        # where it is plugged in stands beside the properties
        known = {'bus'} | {p['name'] for p in
                           listed(monitor, name[1] or name[2], False)}
        for row in re.findall(r'\* - ((?:``[\w-]+``,?\s*)+)\n', table):
            for prop in re.findall(r'``([\w-]+)``', row):
                seen += 1
                if prop.replace('dcN-', 'dc0-') not in known:
                    yield f'{name[1] or name[2]}: {prop}'
    # or this looked at nothing
    assert seen > 40, seen


def wrong_defaults(monitor):
    for prop in monitor.ask('device-list-properties', typename='cxl-type3'):
        if prop['name'].endswith('-block-size') and \
                prop.get('default-value') != CAPACITY_BLOCK:
            yield f'{prop["name"]}: {prop.get("default-value")}'


def main():
    tree, qemu = sys.argv[1:]
    monitor = Monitor(qemu)
    own = list(own_properties(monitor, registered(tree)))
    # or this looks at nothing
    assert len(own) > 100, len(own)
    text = ''
    for path in glob.glob(f'{tree}/docs/system/devices/*.rst'):
        with open(path, encoding='utf-8') as file:
            text += file.read()
    bad = False
    print('1..4')
    for number, name, found in (
            (1, 'every-property-says-what-it-is-for', list(undescribed(own))),
            (2, 'the-default-that-is-shown-is-the-one-that-is-used',
             list(wrong_defaults(monitor))),
            (3, 'every-property-is-in-the-pages',
             list(unexplained(own, text))),
            (4, 'the-pages-name-properties-that-exist',
             list(unknown(monitor, text)))):
        for line in found:
            print(f'# {line}')
        print(f'{"not " if found else ""}ok {number} - {name}')
        bad |= bool(found)
    monitor.end()
    return bad


if __name__ == '__main__':
    sys.exit(main())
