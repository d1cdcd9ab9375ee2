# SPDX-License-Identifier: GPL-2.0-or-later
"""The series as patches for a mailing list, with a cover letter."""

import glob
import os
import shutil
import sys

COVER = 'scripts/series/cover.txt'


def parts(table):
    """What the commits are about, by the parts of the table."""
    lines, number = [], 0
    for commit in table.commits:
        number += 1
        if 'part' in commit:
            lines.append([commit['part'], number, number])
        lines[-1][2] = number
    return '\n'.join(f'  {part}. {name} ({first} to {last})'
                     for part, (name, first, last) in enumerate(lines, 1))


def write(top, folder, repository, first, branch, table):
    shutil.rmtree(folder, ignore_errors=True)
    repository.git('format-patch', '-q', '-M', '--cover-letter',
                   '--output-directory', folder, f'{first}..{branch}')
    with open(os.path.join(top, COVER), encoding='utf-8') as file:
        subject, _, blurb = file.read().partition('\n\n')
    path = os.path.join(folder, '0000-cover-letter.patch')
    with open(path, encoding='utf-8') as file:
        text = file.read()
    for find, put in (('*** SUBJECT HERE ***', subject.strip()),
                      ('*** BLURB HERE ***', blurb.strip().replace(
                          '@PARTS@', parts(table)).replace(
                              '@RELEASE@', table.release))):
        assert text.count(find) == 1, find
        text = text.replace(find, put)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    count = len(glob.glob(os.path.join(folder, '*.patch'))) - 1
    print(f'== {count} patches and a cover letter in '
          f'{os.path.relpath(folder)}', file=sys.stderr)
