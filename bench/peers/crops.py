#!/usr/bin/env python3
"""bench/peers/crops.py - random crops of pictures, to make many real embeddings of few pictures.

crops.py OUT COUNT PICTURES...    COUNT crops of each picture below the folders PICTURES, as OUT/NUMBER/PICTURE.jpg

Crop NUMBER of a picture depends on nothing but its path below the folder and NUMBER: the same call writes the same
crops, and a folder that is there is passed over. Each side is 40 to 100 % of the picture's. Needs Pillow.
SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import sys

from PIL import Image

SIDE = 288  # a little more than the default model looks at


def pictures(folders):
    """(path, name) of every picture, by name; the name says which folder it is from."""
    found = []
    for folder in folders:
        for below, _, files in os.walk(folder):
            for file in files:
                if file.lower().endswith(('.jpg', '.jpeg', '.png')):
                    path = os.path.join(below, file)
                    top = os.path.basename(os.path.normpath(folder))
                    found.append((path, top + '/' + os.path.relpath(path, folder)))
    return sorted(found, key=lambda pair: pair[1])


def crop(image, seed):
    chance = random.Random(seed)
    width, height = (max(1, int(side * chance.uniform(.4, 1))) for side in image.size)
    left, top = chance.randint(0, image.width - width), chance.randint(0, image.height - height)
    piece = image.crop((left, top, left + width, top + height))
    piece.thumbnail((SIDE, SIDE))
    return piece


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    out, count = sys.argv[1], int(sys.argv[2])
    sources = pictures(sys.argv[3:])
    folders = [f'{out}/{i:03}' for i in range(count)]
    wanted = [(i, folder) for i, folder in enumerate(folders) if not os.path.isdir(folder)]
    for _, folder in wanted:
        os.makedirs(folder + '.part', exist_ok=True)
    for path, name in sources if wanted else []:
        with Image.open(path) as image:
            image = image.convert('RGB')
        for i, folder in wanted:
            crop(image, f'{name} {i}').save(f'{folder}.part/{name.replace("/", "_").rsplit(".", 1)[0]}.jpg', quality=90)
    for _, folder in wanted:
        os.rename(folder + '.part', folder)
    print(f'{len(sources)} pictures, {count} crops of each, {len(wanted)} made now')


main()
