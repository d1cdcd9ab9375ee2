#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/count.py: the end of its output counts, and tells why tests failed.

usage: test-count.py COUNT
"""

import json
import os
import subprocess
import sys
import tempfile

from cases import case, main

# What is seen of a log of which only the end is kept
END = 30


def passed(many, first=1):
    return [f'ok {n} - case {n}' for n in range(first, first + many)]


def row(name, result, out, code=0, err=()):
    line = {'name': f'qemu-cxl:guest / {name}', 'result': result,
            'stdout': ''.join(text + '\n' for text in out), 'duration': 99.51,
            'returncode': code}
    if err:
        line['stderr'] = ''.join(text + '\n' for text in err)
    return line


def junit(cases):
    """@cases: program, case, 'failure', 'skipped' or None."""
    return '<testsuites>' + ''.join(
        f'<testsuite name="qemu-cxl.{program}"><testcase name="{case}">'
        f'{what and f"<{what}/>"}</testcase></testsuite>'
        for program, case, what in cases) + '</testsuites>'


def count(rows, cases):
    """The lines of count.py, and its exit status."""
    with tempfile.TemporaryDirectory(prefix='count-test-') as folder:
        with open(os.path.join(folder, 'testlog.json'), 'w',
                  encoding='utf-8') as log:
            for line in rows:
                log.write(json.dumps(line) + '\n')
        with open(os.path.join(folder, 'testlog.junit.xml'), 'w',
                  encoding='utf-8') as log:
            log.write(junit(cases))
        done = subprocess.run([sys.executable, sys.argv[1], folder], text=True,
                              stdout=subprocess.PIPE, check=False)
    return done.stdout.splitlines(), done.returncode


def expect(true, what, lines):
    if not true:
        raise AssertionError(what + ':\n' + '\n'.join(lines))


def end_has(lines, *words):
    for word in words:
        expect(any(word in line for line in lines[-END:]),
               f'"{word}" is not at the end', lines)


@case
def a_good_run_is_one_line():
    lines, status = count([row('boot', 'OK', passed(2))],
                          [('boot', 'one', ''), ('boot', 'two', '')])
    expect((lines, status) == (['2 passed, 0 failed'], 0), 'more', lines)


@case
def no_test_at_all_is_a_failure():
    lines, status = count([], [])
    expect((lines, status) == (['0 passed, 0 failed'], 1), 'good', lines)


@case
def runs_are_added_and_one_that_did_not_come_is_a_failure():
    with tempfile.TemporaryDirectory(prefix='count-test-') as folder:
        for name in ('one', 'two'):
            os.mkdir(os.path.join(folder, name))
            for file, text in (
                    ('testlog.json', json.dumps(row('boot', 'OK', passed(1)))),
                    ('testlog.junit.xml', junit([('boot', 'case', '')]))):
                with open(os.path.join(folder, name, file), 'w',
                          encoding='utf-8') as log:
                    log.write(text + '\n')
        for names, want in ((['one', 'two'], '2 passed, 0 failed'),
                            (['one', 'gone'], '1 passed, 1 failed')):
            done = subprocess.run(
                [sys.executable, sys.argv[1],
                 *(os.path.join(folder, name) for name in names)], text=True,
                stdout=subprocess.PIPE, check=False)
            lines = done.stdout.splitlines()
            expect(lines[-1] == want, f'not {want}', lines)
            expect(bool(done.returncode) == ('gone' in names), 'status', lines)
        end_has(lines, '/gone: no test was run')


@case
def a_hung_guest_tells_where():
    console = [f'# console: line {n}' for n in range(60)]
    lines, status = count(
        [row('switch', 'ERROR', passed(46) + console +
             ['# cpu 0: stuck here', 'Bail out! the guest hangs'], 3)],
        [('switch', f'{n}', '') for n in range(46)])
    end_has(lines, 'switch: error after 99.5 s, exit status 3',
            'ok 46 - case 46', 'console: line 59', 'cpu 0: stuck here',
            'Bail out! the guest hangs')
    expect('case 45' not in '\n'.join(lines), 'what passed is told', lines)
    expect(lines[-1] == '46 passed, 1 failed', 'no count', lines)
    expect(status == 1, 'status', lines)


@case
def failures_are_told_wherever_they_stand():
    noise = [f'# noise {n}' for n in range(60)]
    lines, _ = count(
        [row('dcd', 'FAIL', passed(3) +
             ['not ok 4 - the first', '# behind the first'] + noise +
             passed(9, 5) + ['not ok 14 - the second'] + noise +
             ['1..14'], 1)],
        [('dcd', 'first', 'failure'), ('dcd', 'skip', 'skipped'),
         ('dcd', 'good', '')])
    end_has(lines, 'not ok 4 - the first', '# behind the first',
            'not ok 14 - the second', '# noise 59')
    expect(lines[-1] == '1 passed, 1 failed, 1 skipped', 'no count', lines)


@case
def a_crash_shows_both_streams():
    lines, _ = count(
        [row('cxl-test', 'ERROR', passed(4) +
             [f'# out {n}' for n in range(60)], -6,
             ['==1==ERROR: AddressSanitizer: use after free'] +
             [f'err {n}' for n in range(60)])],
        [('cxl-test', f'{n}', '') for n in range(4)])
    end_has(lines, 'signal 6', '# out 59', 'err 59', 'AddressSanitizer')


@case
def what_both_streams_say_is_told_once():
    same = 'Bail out! ERROR:test.c:7:check: assertion failed'
    lines, _ = count([row('unit', 'ERROR', [same], -6, ['**', same[10:]])],
                     [])
    expect(sum('test.c:7' in line for line in lines) == 1, 'twice', lines)


@case
def many_failures_fit_into_the_end():
    rows = [row(f'test{n}', 'FAIL', [f'# {n}: {line}' + 'x' * 1000
                                     for line in range(60)] +
                [f'not ok 1 - case of {n}'], 1) for n in range(9)]
    lines, _ = count(rows, [(f'test{n}', 'it', 'failure') for n in range(9)])
    end_has(lines, '-- test0: fail', '-- test1: fail', '-- test2: fail',
            'not ok 1 - case of 0', 'not ok 1 - case of 1', 'of 9 failed')
    expect(max(map(len, lines)) < 250, 'wide lines', lines)
    expect(sum(line.startswith('not ok: ') for line in lines) == 9,
           'not all are named', lines)
    expect(lines[-1] == '0 passed, 9 failed', 'no count', lines)


@case
def bytes_that_no_terminal_likes_are_not_passed_on():
    lines, _ = count([row('boot', 'FAIL', ['not ok 1 - \x1b[2Jgone'], 1)], [])
    expect('\x1b' not in '\n'.join(lines), 'escape', lines)
    end_has(lines, 'not ok 1 - ?[2Jgone')


main()
