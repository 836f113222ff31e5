# SPDX-License-Identifier: Apache-2.0
"""Embeddings of a folder's pictures by the reference way, to hold the C code's against.

    python reference.py MODEL_FOLDER PICTURES OUT.npy

Writes OUT.npy (pictures x dim, float32, as the model gives them: not L2-normalised) and OUT.txt (their paths below
PICTURES, in the same order). Pillow opens, turns by EXIF, converts to RGB, resizes and crops as the card says.
A file that Pillow cannot read is left out and named on stderr.
"""
import argparse
import pathlib
import sys

import numpy as np

import measure
import pictures


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("model", type=pathlib.Path)
    parse.add_argument("pictures", type=pathlib.Path)
    parse.add_argument("out", type=pathlib.Path)
    args = parse.parse_args()

    card, compiled = measure.load(args.model)
    names, rows = [], []
    for name in pictures.list_pictures(args.pictures):
        try:
            tensor = pictures.tensor(args.pictures / name, card["input"])
        except (OSError, ValueError) as why:
            print(f"{name}: {why}", file=sys.stderr)
            continue
        rows.append(compiled(tensor)[card["output"]["embedding"]][0].copy())
        names.append(name)
    if not rows:
        sys.exit(f"{args.pictures}: no picture that can be read")
    np.save(args.out, np.stack(rows).astype(np.float32))
    args.out.with_suffix(".txt").write_text("".join(name + "\n" for name in names), encoding="utf-8")


if __name__ == "__main__":
    main()
