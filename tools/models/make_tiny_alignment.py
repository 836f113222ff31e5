# SPDX-License-Identifier: Apache-2.0
"""Write tests/data/alignment and the fuzzer's seed: a small random alignment and what it says, by text_export.py's own
arithmetic.

    python make_tiny_alignment.py ../../tests
"""
import json
import pathlib
import struct
import sys

import numpy as np

import text_export

PICTURE, TEXT, CLASSES, HIDDEN, ALIGNED, LABEL, HEADS, CASES = 6, 8, 4, 6, 4, 7, 2, 5


def main():
    tests, rng = pathlib.Path(sys.argv[1]), np.random.default_rng(11)
    shapes = {"classifier": (CLASSES, PICTURE), "picture_roots": (ALIGNED, PICTURE), "picture_labels": (ALIGNED, CLASSES),
              "text_in": (HIDDEN, TEXT), "text_out": (ALIGNED, HIDDEN), "text_straight": (ALIGNED, TEXT),
              "label_text": (LABEL, TEXT), "class_labels": (CLASSES, LABEL), "norm": PICTURE, "norm_bias": 1,
              "class_bias": CLASSES, "picture_bias": ALIGNED, "hidden_bias": HIDDEN, "text_bias": ALIGNED,
              "label_bias": LABEL, "gate": TEXT}
    m = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    m["class_labels"] = text_export.l2(m["class_labels"])
    m["gate_terms"], m["heads"] = np.array([0.5, -0.7, 1.5, 0.1, 0.9]), HEADS
    for name in m:
        if name != "heads":
            m[name] = np.asarray(m[name], np.float16 if name in text_export.F16 else np.float32).astype(np.float64)
    weights = text_export.pack(m)
    side = {"sha256": "0123456789abcdef" * 4}
    card = json.dumps({"akin_alignment": 1, "name": "tiny", "file": "alignment.bin", "dim": ALIGNED + LABEL + 1,
                       "picture_model": {"name": "p", "dim": PICTURE, **side},
                       "text_model": {"name": "t", "dim": TEXT, **side}, "random_cosine": 0.125}, indent=1).encode()
    folder = tests / "data" / "alignment"
    folder.mkdir(exist_ok=True)
    (folder / "alignment.bin").write_bytes(weights)
    (folder / "alignment.json").write_bytes(card)
    embedding, text = rng.random((CASES, PICTURE)) * 3, rng.normal(size=(CASES, TEXT))
    pieces = np.array([2, 3, 9, 40, 1000])
    pictures, classes = text_export.join_pictures(m, embedding)
    unit = text_export.l2(text)
    parts = [embedding, classes, pictures, text, pieces[:, None], text_export.shares(m, unit, pieces)[:, None],
             text_export.join_texts(m, unit, pieces)]
    (folder / "golden.f32").write_bytes(np.concatenate(parts, 1).astype("<f4").tobytes())
    seed = tests / "fuzz" / "corpus" / "alignment"
    seed.mkdir(exist_ok=True)
    (seed / "tiny").write_bytes(struct.pack("<H", len(card)) + card + weights)


if __name__ == "__main__":
    main()
