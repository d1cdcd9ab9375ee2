#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may know whom: #include lines point down only.

Each file of ours below hw/ and include/hw/ is of one layer. ARROWS says which
other layers it may include. A layer in PLAIN is C over glib and QEMU's util
library and takes nothing of devices, buses or memory, so that it can be built
into a unit test or a daemon.

usage: test-includes.py TREE
"""

import collections
import fnmatch
import glob
import os
import re
import sys

from cases import main, named

# The first pattern that fits decides
LAYERS = (
    ('hw/mem/cxl_type3*', 'device'),
    # what base files know, among them the headers of ports
    ('include/hw/cxl/cxl.h', 'umbrella'),
    ('hw/cxl/mctp/*', 'transport'),
    ('hw/cxl/i2c_mctp_cxl.c', 'transport'),
    ('hw/cxl/switch-mailbox-cci.c', 'transport'),
    ('hw/cxl/cxl-device-utils.c', 'transport'),
    ('include/hw/cxl/cxl_mailbox.h', 'transport'),
    ('hw/cxl/cxl-mailbox-utils.c', 'cci'),
    ('hw/cxl/cci/*', 'cci'),
    ('include/hw/cxl/cxl_cci.h', 'cci'),
    ('hw/cxl/memdev/*', 'memdev'),
    ('include/hw/cxl/cxl_memdev.h', 'memdev'),
    ('hw/cxl/cxl-wipe.c', 'memdev'),
    ('hw/cxl/dcd/*', 'dcd'),
    ('include/hw/cxl/cxl_dc*.h', 'dcd'),
    ('hw/cxl/pool/*', 'pool'),
    ('include/hw/cxl/cxl_pool*.h', 'pool'),
    ('hw/cxl/switch/*', 'switch'),
    ('hw/cxl/hdm/*', 'hdm'),
    ('include/hw/cxl/cxl_host.h', 'hdm'),
    ('include/hw/cxl/cxl_mem_target.h', 'hdm'),
    ('include/hw/cxl/cxl_backend.h', 'hdm'),
    ('hw/cxl/cxl-host*.c', 'hdm'),
    ('hw/cxl/cxl-fmw.c', 'hdm'),
    ('hw/mctp/*', 'mctp'),
    ('include/hw/mctp/*', 'mctp'),
    # registers, event logs, return codes, payloads
    ('hw/cxl/*', 'common'),
    ('include/hw/cxl/*', 'common'),
)

ARROWS = {
    'device': {'umbrella', 'transport', 'pool', 'cci', 'memdev', 'dcd', 'hdm',
               'common'},
    'umbrella': {'cci', 'hdm', 'common'},
    'transport': {'pool', 'cci', 'memdev', 'hdm', 'mctp', 'common'},
    'pool': {'cci', 'memdev', 'dcd', 'hdm', 'common'},
    'cci': {'memdev', 'dcd', 'switch', 'hdm', 'common'},
    'memdev': {'dcd', 'common'},
    'dcd': {'common'},
    'switch': {'hdm', 'common'},
    'hdm': {'common'},
    'common': set(),
    'mctp': set(),
}

PLAIN = {'memdev', 'dcd', 'mctp'}
OUTSIDE = re.compile(r'(qemu/|migration/|trace/|trace\.h$|qapi/error\.h$|'
                     r'hw/registerfields\.h$)')


def layer_of(path):
    for pattern, layer in LAYERS:
        if fnmatch.fnmatchcase(path, pattern):
            return layer
    return None


def resolve(tree, source, name):
    """The path of an included file of ours, None if it is another's."""
    for folder in (os.path.dirname(source), 'include', ''):
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(os.path.join(tree, path)):
            return path
    return None


def is_allowed(layer, other, name):
    if other == 'outside':
        return OUTSIDE.match(name) if layer in PLAIN else \
            layer == 'device' or not name.startswith('hw/mem/')
    return other == layer or other in ARROWS[layer]


def against(tree):
    """Maps layer and other to the lines that are against the table."""
    found = collections.defaultdict(list)
    lines = 0
    for path in sorted(glob.glob(f'{tree}/hw/**/*.[ch]', recursive=True) +
                       glob.glob(f'{tree}/include/hw/**/*.h',
                                 recursive=True)):
        source = os.path.relpath(path, tree)
        layer = layer_of(source)
        if not layer:
            continue
        with open(path, encoding='utf-8') as file:
            names = re.findall(r'^ *# *include "(.*?)"', file.read(),
                               re.MULTILINE)
        lines += len(names)
        for name in names:
            target = resolve(tree, source, name)
            other = target and layer_of(target) or 'outside'
            if not is_allowed(layer, other, name):
                found[layer, other].append(f'{source}: {name}')
    # or this looked at nothing
    assert lines > 500, lines
    return found


def points_down(found, layer):
    return [f'{layer} includes {other}: {line}'
            for (source, other), lines in sorted(found.items())
            if source == layer for line in lines]


FOUND = against(sys.argv[1])
for each in ARROWS:
    named(f'{each}-points-down', points_down, FOUND, each)
main()
