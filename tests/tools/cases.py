# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of a test, and what came of them in TAP.

A case is a function, whose name says what holds. It fails by an exception, or
by returning lines that tell what is wrong.
"""

import contextlib
import functools
import re
import sys
import traceback

cases = []


class Skip(Exception):
    """This machine cannot show it."""


def case(function):
    cases.append((function.__name__, function))
    return function


def named(name, function, *arguments):
    """A case of many: the function with these."""
    cases.append((name, functools.partial(function, *arguments)))


def equal(got, want):
    if got != want:
        raise AssertionError(f'got {got!r}, want {want!r}')


def has(text, *patterns):
    for pattern in patterns:
        if not re.search(pattern, text, re.MULTILINE):
            raise AssertionError(f'no {pattern!r} in:\n{text}')


def run(wanted=(), around=None):
    """Run all, or those that are wanted; exit status.

    @around: a context manager for each of them, whose values the case is given.
    """
    chosen = [row for row in cases if not wanted or row[0] in wanted]
    print(f'1..{len(chosen)}', flush=True)
    failed = 0
    for number, (name, function) in enumerate(chosen, 1):
        wrong, skip = (), ''
        try:
            with around() if around else contextlib.nullcontext() as what:
                wrong = function(*(what if isinstance(what, tuple) else
                                   () if what is None else (what,))) or ()
        except Skip as why:
            skip = f' # SKIP {why}'
        except Exception:
            wrong = traceback.format_exc().splitlines()
        failed += bool(wrong)
        print(''.join(f'# {line}\n' for line in wrong) +
              f'{"not " * bool(wrong)}ok {number} - ' +
              re.sub('(?<=[a-z])_', ' ', name) + skip, flush=True)
    return failed != 0


def main(*arguments, **more):
    sys.exit(run(*arguments, **more))
