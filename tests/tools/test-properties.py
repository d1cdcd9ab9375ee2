#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each property of each device of ours says what it is for, in the monitor and
in the pages.

The types are those that our sources register; what a type has from one of the
base, PCI's properties for example, is the base's affair. Tables of the pages
explain some of these, too: their names have to exist.

usage: test-properties.py TREE QEMU
"""

import contextlib
import glob
import re
import sys
import types

from cases import case, main
from no_machine import Monitor

CAPACITY_BLOCK = 2 << 20
# What the base says of each property of a kind
NOTHING = (None, '', 'on/off')
# What abstract types of the base give to each object and not to the class
OF_INSTANCES = {'usb-device': {'attached'}}


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


@case
def every_property_says_what_it_is_for(facts):
    return list(undescribed(facts.own))


@case
def the_default_that_is_shown_is_the_one_that_is_used(facts):
    return list(wrong_defaults(facts.monitor))


@case
def every_property_is_in_the_pages(facts):
    return list(unexplained(facts.own, facts.text))


@case
def the_pages_name_properties_that_exist(facts):
    return list(unknown(facts.monitor, facts.text))


@contextlib.contextmanager
def facts():
    tree, qemu = sys.argv[1:]
    monitor = Monitor(qemu)
    own = list(own_properties(monitor, registered(tree)))
    # or this looks at nothing
    assert len(own) > 100, len(own)
    text = ''
    for path in glob.glob(f'{tree}/docs/system/devices/*.rst'):
        with open(path, encoding='utf-8') as file:
            text += file.read()
    yield types.SimpleNamespace(monitor=monitor, own=own, text=text)
    monitor.end()


main(around=facts)
