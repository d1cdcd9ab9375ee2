# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples that README, docs/ and the manual page show, block by block."""

import collections
import glob
import os
import re
import shlex
import textwrap

# @before: the last line of text above it
Block = collections.namedtuple('Block', 'page line before text')

SHOWS = re.compile(r'\s*\.\. (?:code-block|parsed-literal|qmp-example)::')


def _indent(line):
    return len(line) - len(line.lstrip())


def _literal(lines, at, least):
    """Lines from @at on that are indented by @least or more, and their end."""
    end = at
    while end < len(lines) and (not lines[end].strip() or
                                _indent(lines[end]) >= least):
        end += 1
    return textwrap.dedent('\n'.join(lines[at:end])).strip('\n'), end


def _rst(lines):
    at, before = 0, ''
    while at < len(lines):
        line = lines[at]
        shows = SHOWS.match(line)
        at += 1
        if shows or line.endswith('::') and not line.lstrip().startswith('..'):
            text, end = _literal(lines, at, _indent(line) + 1)
            if text:
                if 'parsed-literal' in line:
                    text = text.replace('\\\\', '\\')
                yield at + 1, before if shows else line, text
                at = end
        elif line.strip():
            before = line


def _markdown(lines):
    at, before = 0, ''
    while at < len(lines):
        line = lines[at]
        if line.startswith('```'):
            end = lines.index('```', at + 1)
            yield at + 1, before, '\n'.join(lines[at + 1:end])
            at = end + 1
        elif line.startswith('    ') and not before.startswith(('-', '*')):
            text, end = _literal(lines, at, 4)
            yield at + 1, before, text
            at = end
        else:
            before = line if line.strip() else before
            at += 1


def _manual(lines):
    """Between .nf and .fi."""
    at = 0
    before = ''
    while at < len(lines):
        if lines[at] == '.nf':
            end = lines.index('.fi', at)
            yield at + 2, before, re.sub(
                r'\\(.)', lambda m: '\\' if m[1] == 'e' else m[1],
                '\n'.join(lines[at + 1:end]))
            at = end
        elif not lines[at].startswith('.'):
            before = lines[at]
        at += 1


def _schema(lines):
    """Comments are rst."""
    return _rst([line[2:] if line.startswith('#') else '' for line in lines])


def pages(tree):
    docs = [os.path.relpath(path, tree) for kind in ('md', 'rst') for path in
            glob.glob(f'{tree}/docs/**/*.{kind}', recursive=True)]
    for path in ['README.md', 'tools/cxl-fm/cxl-fm.1', 'qapi/cxl.json',
                 *sorted(docs)]:
        with open(os.path.join(tree, path), encoding='utf-8') as file:
            lines = file.read().splitlines()
        kind = {'.md': _markdown, '.rst': _rst, '.1': _manual,
                '.json': _schema}
        yield path, [Block(path, *rest) for rest in
                     kind[os.path.splitext(path)[1]](lines)]


def inline(tree, path):
    """What stands between double or single backquotes, and links to files."""
    with open(os.path.join(tree, path), encoding='utf-8') as file:
        text = file.read()
    quotes = '`' if path.endswith('.md') else '``'
    return [' '.join(words.split()) for words in re.findall(
        rf'(?<!`){quotes}([^`]+){quotes}(?!`)', text) +
            re.findall(r'\]\(([^)#:]+)\)', text)]


def begins(block, first):
    """Does it, but for comments, begin with this?"""
    return re.sub(r'^(#.*\n)*', '', block.text).startswith(first)


def commands(text):
    """Lines of a shell with continued ones joined; no comments."""
    for line in text.rstrip('\\').replace('\\\n', '').splitlines():
        line = re.sub(r'\s#( .*)?$', '', ' ' + line).strip()
        if line:
            yield line


# -- command lines of QEMU --------------------------------------------------

# What a part of a command line may refer to without making it
STOCK = {
    'pcie.0': '',
    'hb0': '-device pxb-cxl,id=hb0,bus=pcie.0,bus_nr=12',
    'hb1': '-device pxb-cxl,id=hb1,bus=pcie.0,bus_nr=52',
    'rp0': '-device cxl-rp,id=rp0,bus=hb0,port=0,chassis=0,slot=2',
    'rp1': '-device cxl-rp,id=rp1,bus=hb0,port=1,chassis=0,slot=3',
    'below0': '-device cxl-rp,id=below0,bus=hb0,port=8,chassis=0,slot=8',
    'below1': '-device cxl-rp,id=below1,bus=hb0,port=9,chassis=0,slot=9',
    'us0': '-device cxl-upstream,id=us0,bus=rp0',
    'ram0': '-object memory-backend-ram,id=ram0,size=256M',
    'ram1': '-object memory-backend-ram,id=ram1,size=256M',
    'static0': '-object memory-backend-ram,id=static0,size=256M',
    'dynamic0': '-object memory-backend-ram,id=dynamic0,size=512M',
    'dynamic1': '-object memory-backend-ram,id=dynamic1,size=512M',
    'mem0': '-device cxl-type3,id=mem0,bus=below0,volatile-memdev=static0,'
            'volatile-dc-memdev=dynamic0,num-dc-regions=2',
    'mem1': '-device cxl-type3,id=mem1,bus=below1,volatile-memdev=ram1',
    'i2c0': '-device dw-i2c-pci,id=i2c0,bus=pcie.0',
}
# What "cxl-type3,id=mem0,..." leaves to the reader
LEFT_OUT = 'bus=below0,volatile-dc-memdev=dynamic0,num-dc-regions=2'
# With a bridge that takes CXL ports only: the place of a device without bus=
OTHER_BUS = 200
MACHINE = ('-M q35,cxl=on -m 256M '
           f'-device pxb-cxl,id=other,bus=pcie.0,bus_nr={OTHER_BUS}')
REFERENCE = re.compile(r'\b(?:bus|target|chardev|[a-z-]*memdev|lsa|'
                       r'targets\.\d+)=([\w.-]+)')
QEMU = re.compile(r'(?:\S*/)?qemu-system-x86_64\b')


def is_qemu(line):
    return bool(QEMU.match(line))


def is_part(line):
    return bool(re.match(r'(?:\.\.\. )?-[a-zA-Z]', line))


def ids(words):
    return re.findall(r'\bid=([\w.-]+)', ' '.join(words))


def wanted(words):
    """Ids that are referred to and not made."""
    made = ids(words)
    for name in REFERENCE.findall(' '.join(words)):
        # the bus of an I2C controller
        if name not in made and re.sub(r'\.0$', '', name) not in made:
            yield name if name in STOCK else re.sub(r'\.0$', '', name)


def supply(names, have):
    """Arguments that make these, in order."""
    line = []
    for name in names:
        if name in have:
            continue
        if name not in STOCK:
            raise AssertionError(f'nothing makes "{name}"')
        words = shlex.split(STOCK[name])
        line += supply(wanted(words), have) + words
        have.append(name)
    return line


def complete(line, last):
    """Arguments of a machine out of a command line or a part of one, which
    continues @last, the page's last machine, if that has what it refers to."""
    words = shlex.split(line)
    part = not is_qemu(line) or '...' in words
    words = [word.replace(',...', ',' + LEFT_OUT) for word in words
             if word != '...' and not QEMU.match(word)]
    if not part:
        return words
    needs = list(wanted(words))
    if needs and last and set(needs) <= set(ids(last)) and \
       not set(ids(words)) & set(ids(last)):
        return last + words
    return [*shlex.split(MACHINE), *supply(needs, []), *words]
