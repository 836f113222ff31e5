"""bench/peers/plot.py - recall against queries a second as an SVG. SPDX-License-Identifier: Apache-2.0"""
import math
from html import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 900, 520, 70, 44, 250, 50
TICKS = [.8, .9, .95, .98, .99, .995, .999]
OWN = ['#c0392b', '#e67e22', '#8e44ad', '#d35490', '#a04000']
OTHERS = ['#1f618d', '#117a65', '#7d8a8c', '#2e86c1', '#45b39d', '#5d6d7e', '#9a7d0a', '#196f3d', '#34495e', '#85929e',
          '#5499c7', '#73c6b6']


def x_of(recall):
    low, high = (math.log(1 - r) for r in (.8, .9995))
    return LEFT + (math.log(1 - min(recall, .9995)) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def draw(path, title, curves, order):
    """curves: {name: ascending [(recall, QPS)]}; order: names, best first"""
    speeds = [s for c in curves.values() for r, s in c if r >= .8]
    low, high = math.log10(min(speeds)) - .05, math.log10(max(speeds)) + .05

    def y_of(speed):
        return HEIGHT - BOTTOM - (math.log10(speed) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
           f'font-size="13" role="img"><title>{escape(title)}</title>',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
           f'<text x="{LEFT}" y="24" font-size="16">{escape(title)}</text>',
           f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">recall@10</text>',
           f'<text x="{LEFT - 56}" y="{TOP - 4}">QPS</text>']
    for recall in TICKS:
        out.append(f'<path d="M{x_of(recall):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>'
                   f'<text x="{x_of(recall):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{recall:g}</text>')
    for power in range(int(low), int(high) + 2):
        for times in (1, 2, 5):
            speed = times * 10 ** power
            if low <= math.log10(speed) <= high:
                out.append(f'<path d="M{LEFT} {y_of(speed):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                           f'<text x="{LEFT - 8}" y="{y_of(speed) + 4:.1f}" text-anchor="end">{speed:,}</text>')
    own, others = iter(OWN * 2), iter(OTHERS * 2)
    for i, name in enumerate(order):
        ours = name.startswith('akin')
        colour = next(own) if ours else next(others)
        front, best = [], 0
        for recall, speed in sorted(curves[name], key=lambda p: -p[1]):
            if recall > best and recall >= .8:
                front.append(f'{x_of(recall):.1f} {y_of(speed):.1f}')
                best = recall
        width = 3 if ours else 1.5
        out.append(f'<path d="M{"L".join(front)}" fill="none" stroke="{colour}" stroke-width="{width}"/>' if front else '')
        y = TOP + 12 + 20 * i
        out.append(f'<path d="M{WIDTH - RIGHT + 12} {y - 4}h22" stroke="{colour}" stroke-width="{width}"/>'
                   f'<text x="{WIDTH - RIGHT + 40}" y="{y}">{escape(name)}</text>')
    with open(path, 'w') as f:
        f.write('\n'.join(out) + '\n</svg>\n')
