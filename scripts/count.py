#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Adds up what `meson test` found and closes with one line.

    count.py LOGS...    folders with testlog.json and testlog.junit.xml

Each case within a test program counts. A program that ended badly without
one of its cases having failed (it died, ran out of time or did not do all
that it had planned) counts as one failure more. Names the failed cases, tells
what failed programs said, and ends with a status other than 0 when a case
failed, none ran, or a folder has no such file.
"""

import json
import os
import sys
import xml.etree.ElementTree as ET

import failures

BAD = ('FAIL', 'ERROR', 'TIMEOUT', 'INTERRUPT', 'UNEXPECTEDPASS')


def plain(name):
    """A program's name without meson's "project:suite / " before it."""
    return name.split(' / ')[-1]


def read_cases(path):
    """Yields program, case and outcome from a junit file."""
    if not os.path.exists(path):
        return
    for suite in ET.parse(path).getroot().iter('testsuite'):
        for case in suite.iter('testcase'):
            # a program with cases is a suite of its own: project.program
            program = plain(suite.get('name').partition('.')[2] or
                            case.get('name'))
            if case.find('failure') is not None or \
               case.find('error') is not None:
                yield program, plain(case.get('name')), 'failed'
            elif case.find('skipped') is not None:
                yield program, case.get('name'), 'skipped'
            else:
                yield program, case.get('name'), 'passed'


def read_programs(path):
    """Yields program and row of meson's own log."""
    if not os.path.exists(path):
        return
    with open(path, encoding='utf-8') as log:
        for line in log:
            row = json.loads(line)
            yield plain(row['name']), row


def main():
    count = {'passed': 0, 'failed': 0, 'skipped': 0}
    failed = []
    stories = []
    for folder in sys.argv[1:]:
        blamed = set()
        if not os.path.exists(os.path.join(folder, 'testlog.json')):
            count['failed'] += 1
            failed.append(f'{folder}: no test was run')
        for program, case, outcome in read_cases(
                os.path.join(folder, 'testlog.junit.xml')):
            count[outcome] += 1
            if outcome == 'failed':
                blamed.add(program)
                failed.append(f'{program}: {case}' if program != case
                              else program)
        for program, row in read_programs(
                os.path.join(folder, 'testlog.json')):
            if row['result'] not in BAD:
                continue
            stories.append((program, row))
            if program not in blamed:
                count['failed'] += 1
                failed.append(f"{program}: {row['result'].lower()}")
    for line in failed:
        print(f'not ok: {line}')
    for line in failures.stories(stories):
        print(line)
    text = f"{count['passed']} passed, {count['failed']} failed"
    if count['skipped']:
        text += f", {count['skipped']} skipped"
    print(text)
    sys.exit(1 if count['failed'] or not count['passed'] else 0)


if __name__ == '__main__':
    main()
