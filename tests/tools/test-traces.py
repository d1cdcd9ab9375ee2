#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces of ours name what an enum says, for people do not know its numbers.

An argument that is called as such things are is a string.

usage: test-traces.py TREE
"""

import glob
import re
import sys

from cases import case, main

# What the numbers of an enum are called
ENUMS = {'action', 'error', 'event', 'feature', 'kind', 'log', 'op', 'option',
         'policy', 'rc', 'reason', 'result', 'state', 'type', 'what', 'why'}
# Bytes of a message or bits of a register, in hex; or the name stands beside it
OTHERS = {('cxl_cci_bg_end', 'rc'), ('cxl_cci_command', 'rc'),
          ('cxl_security_command', 'state'), ('cxl_switch_config', 'what'),
          ('mctp_cxl_request', 'type'), ('mctp_message', 'type'),
          ('pcie_doe_request', 'type')}


def numbers(tree):
    files = glob.glob(f'{tree}/hw/**/trace-events', recursive=True)
    files.append(f'{tree}/scripts/base-hooks.txt')
    events = 0
    for path in sorted(files):
        with open(path, encoding='utf-8') as file:
            for line in file:
                found = re.match(r'(?:hw/[\w/]+/trace-events: )?'
                                 r'(\w+)\((.*?)\) "', line)
                if not found:
                    continue
                events += 1
                name, arguments = found.groups()
                for argument in arguments.split(','):
                    word = argument.split()[-1].lstrip('*')
                    if word in ENUMS and '*' not in argument and \
                            (name, word) not in OTHERS:
                        yield f'{name}: {word}'
    # or this looked at nothing
    assert events > 100, events


@case
def every_enum_is_traced_by_name():
    return list(numbers(sys.argv[1]))


main()
