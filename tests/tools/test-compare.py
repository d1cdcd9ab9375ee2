#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that compares this tree with releases of QEMU tells the truth of
this tree, and of the release that it was built on.

usage: test-compare.py TREE QEMU SOURCE
       SOURCE.base names the release's sources, and its number
"""

import glob
import re
import subprocess
import sys

from cases import main, named
from no_machine import Monitor

tree, qemu, source = sys.argv[1:4]
PAGE = f'{tree}/docs/compare.rst'
TABLE = re.compile(r'\.\. comparison: (\w+)\n\n.*\n   :header: (.*)\n\n'
                   r'((?:   .+\n)+)')
# Where a release has what our rows are of
SOURCES = {'cxl-type3': 'hw/mem/cxl_type3.c',
           'cxl-rp': 'hw/pci-bridge/cxl_root_port.c',
           'cxl-upstream': 'hw/pci-bridge/cxl_upstream.c',
           'cxl-downstream': 'hw/pci-bridge/cxl_downstream.c',
           'cxl-switch-mailbox-cci': 'hw/cxl/switch-mailbox-cci.c',
           'pxb-cxl': 'hw/pci-bridge/pci_expander_bridge.c'}
# Devices of the base: what these have is no row
LIKE = {'cxl-type3': 'edu', 'cxl-switch-mailbox-cci': 'edu', 'pxb-cxl': 'edu',
        'dw-i2c-pci': 'edu', 'cxl-rp': 'ioh3420',
        'cxl-upstream': 'x3130-upstream', 'cxl-downstream': 'ioh3420',
        'i2c_mctp_cxl': 'i2c-echo', 'usb-cxl-mctp': 'usb-kbd'}
# Of these the base has some that are on each port, which are no rows
OF_PORTS = {'chassis', 'slot', 'port', 'aer_log_max', 'hotplug',
            'disable-acs', 'busnr'}
COMMANDS = re.compile(r'static const struct cxl_cmd \w+\[256\]\[256\] = \{'
                      r'(.*?)\n\};', re.DOTALL)
COMMAND = re.compile(r"\{ 'command': '([\w-]+)',\s*'data': \{(.*?)\}",
                     re.DOTALL)
WINDOW = re.compile(r"'struct': 'CXLFixedMemoryWindowOptions',\s*"
                    r"'data': \{(.*?)\}", re.DOTALL)
CASES = ('properties', 'types', 'monitor', 'commands')


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def tables():
    """Rows of each table by their names, as a dictionary of columns."""
    found = {}
    for name, header, body in TABLE.findall(read(PAGE)):
        header = header.split(', ')
        first = header.index('this tree')
        rows = found[name] = {}
        for line in body.splitlines():
            cells = [cell.strip() for cell in line.split(',')]
            rows[', '.join(cells[:first])] = dict(zip(header[first:],
                                                      cells[first:]))
    return found


# -- this tree ----------------------------------------------------------------

def creatable(option):
    """Types that there are behind an option and that the page is about."""
    text = subprocess.run([qemu, option, 'help'], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    return {name for name in
            re.findall(r'^(?:name "|  )([\w-]+)', text, re.MULTILINE)
            if re.search('cxl|mctp|dw-i2c', name)}


def properties(monitor, device):
    return {p['name'] for p in monitor.ask('device-list-properties',
                                           typename=device)}


def our_properties(monitor):
    found = {f'cxl-pool, {p["name"]}' for p in
             monitor.ask('qom-list-properties', typename='cxl-pool')
             if p['name'] != 'type'}
    for device in creatable('-device'):
        like = LIKE.get(device)
        common = properties(monitor, like) | OF_PORTS if like else set()
        if 'down' in device:
            common.remove('power_controller_present')
        found |= {f'{device}, {name}' for name in
                  properties(monitor, device) - common}
    return window_options(source) | {re.sub(' dc[0-7]-', ' dcN-', name)
                                     for name in found}


def our_arguments(monitor):
    """Names of each command's arguments, with the optional ones' asterisk."""
    schema = {e['name']: e for e in monitor.ask('query-qmp-schema')}
    return {name: {'*' * ('default' in member) + member['name']
                   for member in schema[e['arg-type']]['members']}
            for name, e in schema.items() if e['meta-type'] == 'command'}


def our_monitor(monitor):
    return {e['name'] for e in monitor.ask('query-qmp-schema')
            if e['meta-type'] in ('command', 'event') and
            re.search('cxl', e['name'], re.IGNORECASE)}


def our_commands():
    page = read(f'{tree}/docs/system/devices/cxl-commands.rst')
    return {int(code, 16) for code in
            re.findall(r'^   ([0-9A-F]{4})h, ', page, re.MULTILINE)}


# -- a release ----------------------------------------------------------------

def their_arguments(base):
    return {name: set(re.findall(r"'(\*?[\w-]+)'\s*:", data)) for name, data in
            COMMAND.findall(read(f'{base}/qapi/cxl.json'))}


def their_properties(base):
    found = window_options(base)
    for device, path in SOURCES.items():
        found |= {f'{device}, {name}' for name in
                  re.findall(r'DEFINE_PROP\w*\("([^"]+)"',
                             read(f'{base}/{path}'))}
    return found


def window_options(base):
    options = WINDOW.search(read(f'{base}/qapi/machine.json')).group(1)
    return {f'cxl-fmw.N, {name}' for name in
            re.findall(r"'\*?([\w-]+)':", options)}


def their_types(base):
    """Words in quotes of files whose names are about such devices."""
    paths = [path for folder in ('hw', 'include/hw')
             for name in ('cxl', 'mctp', 'dw_i2c') for path in
             glob.glob(f'{base}/{folder}/**/*{name}*.[ch]', recursive=True)]
    assert paths, base
    return {word for path in paths + [f'{base}/include/hw/pci/pci_bridge.h']
            for word in re.findall(r'"([\w-]+)"', read(path))}


def their_monitor(base):
    return set(re.findall(r"'(?:command|event)': '(\w[\w-]*)'",
                          read(f'{base}/qapi/cxl.json')))


def their_commands(base):
    text = read(f'{base}/hw/cxl/cxl-mailbox-utils.c')
    codes = {name: int(code, 16) for name, code in re.findall(
        r'^\s+(?:#define )?([A-Z_0-9]+)\s+=?\s*0x([0-9a-fA-F]+)', text,
        re.MULTILINE)}
    return {codes[a] << 8 | codes[b] for table in COMMANDS.findall(text)
            for a, b in re.findall(r'\[([A-Z]\w+)\]\[(\w+)\] =', table)}


# -- both ---------------------------------------------------------------------

def taken_back(ours, theirs):
    """What callers give a release's commands, or leave out, and cannot here."""
    for name, arguments in theirs.items():
        here = ours.get(name, set())
        gone = {a.lstrip('*') for a in arguments} - {a.lstrip('*')
                                                     for a in here}
        demanded = {a for a in here - arguments if a[0] != '*'}
        yield from ((name, argument) for argument in gone | demanded)


# -- the page -----------------------------------------------------------------

def yes(rows, column):
    return {name for name, cells in rows.items() if cells[column] == 'yes'}


def codes(rows, column):
    found = set()
    for cells in rows.values():
        for part in cells.get(column, '').split():
            first, last = part[:4], part[-5:-1]
            found |= set(range(int(first, 16), int(last, 16) + 1))
    return found


def differs(what, real, told):
    # or nothing was looked at
    assert len(told) > 3, told
    return [(f'{odd:04X}h' if isinstance(odd, int) else odd) +
            f': only {"the page" if odd in told else what} has it'
            for odd in sorted(told ^ real)]


def compare():
    monitor = Monitor(qemu)
    path, release = read(source + '.base').split()
    column = '.'.join(release.split('.')[:2])
    page = tables()
    rows = page['types']
    ours = {'properties': our_properties(monitor),
            'types': creatable('-device') | creatable('-object'),
            'monitor': our_monitor(monitor),
            'commands': our_commands()}
    theirs = {'properties': their_properties(path),
              'types': their_types(path) & set(rows),
              'monitor': their_monitor(path),
              'commands': their_commands(path)}
    arguments = our_arguments(monitor)
    monitor.end()
    for name in CASES:
        for what, real in (('this tree', ours), (column, theirs)):
            read_column = codes if name == 'commands' else yes
            named(f'{name} of {what}', differs, what, real[name],
                  read_column(page[name], what))
    named(f'commands take the arguments of {column}', lambda: [
        f'{name}: {argument}' for name, argument in
        sorted(taken_back(arguments, their_arguments(path)))])


compare()
main()
