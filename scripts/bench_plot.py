# SPDX-License-Identifier: GPL-2.0-or-later
"""A plot with two logarithmic axes, as an SVG file."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 190, 40, 60
# Colours that people with any colour vision tell apart (Okabe and Ito)
COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9',
           '#000000')
# Of "place: event", places have colours and events dashes
DASHES = ('', '7 3', '2 3')


def decades(values):
    """First and last power of ten around all values."""
    return (math.floor(math.log10(min(values)) + 1e-9),
            math.ceil(math.log10(max(values)) - 1e-9))


def write(path, title, x_name, y_name, series):
    """series: {name: [(x, y), ...]}, all values above zero; names of the form
    "a: b" have the colour of their a and the dashes of their b."""
    points = [point for line in series.values() for point in line]
    x0, x1 = decades([x for x, _ in points])
    y0, y1 = decades([y for _, y in points])
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at(x, y):
        return (LEFT + (math.log10(x) - x0) / max(x1 - x0, 1) *
                (right - LEFT),
                bottom - (math.log10(y) - y0) / max(y1 - y0, 1) *
                (bottom - TOP))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
           f'height="{HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>']

    def line(a, b, colour, more=''):
        out.append(f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" '
                   f'y2="{b[1]:.1f}" stroke="{colour}"{more}/>')

    def text(x, y, words, anchor='middle', more=''):
        out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
                   f'{more}>{escape(words)}</text>')

    for power in range(x0, x1 + 1):
        x, _ = at(10 ** power, 10 ** y0)
        line((x, TOP), (x, bottom), '#dddddd')
        text(x, bottom + 18, f'{10 ** power:,}')
    for power in range(y0, y1 + 1):
        _, y = at(10 ** x0, 10 ** power)
        line((LEFT, y), (right, y), '#dddddd')
        text(LEFT - 8, y + 4, f'{10 ** power:,}', 'end')
    text((LEFT + right) / 2, HEIGHT - 14, x_name)
    middle = (TOP + bottom) / 2
    text(18, middle, y_name, 'middle', f' transform="rotate(-90 18 {middle})"')
    places = list(dict.fromkeys(name.split(': ')[0] for name in series))
    events = list(dict.fromkeys(name.split(': ')[-1] for name in series
                                if ': ' in name))
    # names beside the ends of the lines, moved apart, not below the axis
    order = sorted(series.items(), key=lambda item: -item[1][-1][1])
    beside, last = [], TOP - 14
    for _, row in order:
        last = max(at(*row[-1])[1] + 4, last + 14)
        beside.append(last)
    last = bottom + 14
    for i in reversed(range(len(beside))):
        last = beside[i] = min(beside[i], last - 14)
    for (name, row), height in zip(order, beside):
        place, _, event = name.partition(': ')
        colour = COLOURS[places.index(place) % len(COLOURS)]
        dash = DASHES[events.index(event) % len(DASHES)] if event else ''
        style = f' stroke-width="2" stroke-dasharray="{dash or "none"}"'
        path_of = ' '.join('%.1f,%.1f' % at(x, y) for x, y in row)
        out.append(f'<polyline points="{path_of}" fill="none" '
                   f'stroke="{colour}"{style}/>')
        for x, y in row:
            out.append('<circle cx="%.1f" cy="%.1f" r="3" ' % at(x, y) +
                       f'fill="{colour}"/>')
        line((right + 10, height - 4), (right + 34, height - 4), colour, style)
        text(right + 40, height, name, 'start', f' fill="{colour}"')
    out.append('</svg>')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(out) + '\n')
