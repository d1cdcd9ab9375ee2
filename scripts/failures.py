# SPDX-License-Identifier: GPL-2.0-or-later
"""What failed tests said, short enough for the end of a log.

Of a log that nobody keeps, only the end may be seen: what is chosen here
fits into it together with the count. Reads rows of meson's testlog.json.
"""

import re

# Lines for all tests together; logs are often cut to their last 30
ROOM = 27
# Tests that are shown, and lines of each but the first, which has the rest
SHOWN = 3
SHORT = 6
# Characters of a line, and lines that are chosen wherever they stand
WIDE = 200
LOUD = 10

PASSED = re.compile(r'\s*ok\b')
NOISE = re.compile(r'\s*(1\.\.\d+|TAP version \d+|# Start of .*|# End of .*|'
                   r'# random seed.*|\*\*|\(test program exited .*)?$')
LOUD_LINE = re.compile(r'\s*not ok\b|\s*Bail out!|.*\bruntime error:|'
                       r'.*ERROR: \w+Sanitizer|.*\bFatal Python error')


def matter(text):
    """Lines that may tell why: of those that passed only the last."""
    lines = [''.join(c if c.isprintable() else '?' for c in
                     line.rstrip().expandtabs()) for line in
             text.splitlines()]
    passed = [at for at, line in enumerate(lines) if PASSED.match(line)]
    return [line for at, line in enumerate(lines)
            if not NOISE.match(line) and (at not in passed[:-1])]


def choose(streams, room):
    """At most @room lines of all streams, in their order.

    First the failures, then what stands right behind them and how far it
    came, then the streams from their ends, in turn.
    """
    ranked = []
    loud = 0
    for stream, lines in enumerate(streams):
        behind = False
        for at, line in enumerate(lines):
            rank = 2 + len(lines) - at
            if LOUD_LINE.match(line) and loud < LOUD:
                loud += 1
                rank, behind = 0, True
            elif behind or PASSED.match(line):
                rank, behind = 1, False
            ranked.append((rank, stream, at))
    return [streams[stream][at] for _, stream, at in
            sorted(sorted(ranked)[:room], key=lambda row: row[1:])]


def ending(row):
    """How a program ended."""
    code = row.get('returncode', 0)
    words = f"{row['result'].lower()} after {row.get('duration', 0):.1f} s"
    if code:
        words += f', signal {-code}' if code < 0 else f', exit status {code}'
    return words


def story(name, row, room):
    """Lines for one failed test."""
    out = matter(row.get('stdout') or '')
    said = '\n'.join(out)
    err = [line for line in matter(row.get('stderr') or '')
           if line not in said]
    return [f'-- {name}: {ending(row)}'] + [
        '   ' + line[:WIDE] for line in choose([out, err], room - 1)]


def stories(rows):
    """Lines for (name, row) of failed tests: the first is told at length."""
    shown = rows[:SHOWN]
    lines = []
    left = ROOM
    if len(rows) > SHOWN:
        lines.append(f'-- the first {SHOWN} of {len(rows)} failed tests:')
        left -= 1
    for at, (name, row) in enumerate(shown):
        room = SHORT if at else left - SHORT * (len(shown) - 1)
        lines += story(name, row, room)
    return lines
