# SPDX-License-Identifier: Apache-2.0
"""Do names of classes find photographs of ImageNet's classes? The 20 photographs in the PyPI package foolbox 3.3.4 are
hidden among the 1,000 of flickr8k_val, and each is looked for by other people's names for its class.

    python measure_names.py DATA ../../build/bin/bench_text_encoder ../../models FOLDER_OF_IMAGENET_PICTURES [--cache DIR]

A picture's class is the last number of its name: imagenet_00_243.jpg.
"""
import argparse
import json
import pathlib
import struct

import numpy as np

import measure
import pictures
import text_export
import text_space


def unpack(folder):
    """The matrices of an alignment's file."""
    data = (folder / "alignment.bin").read_bytes()
    _, p, t, c, hidden, aligned, label, heads = struct.unpack_from("<8I", data, 8)
    f32 = dict(zip(text_export.F32, ((p,), (1,), (c,), (aligned,), (hidden,), (aligned,), (label,), (t,), (5,))))
    f16 = dict(zip(text_export.F16, ((c, p), (aligned, p), (aligned, c), (hidden, t), (aligned, hidden // heads),
                                     (aligned, t), (label, t), (c, label))))
    at, m = 64, {"heads": heads}
    for shapes, kind in ((f32, "<f4"), (f16, "<f2")):
        for name, shape in shapes.items():
            m[name] = np.frombuffer(data, kind, int(np.prod(shape)), at).reshape(shape).astype(np.float64)
            at += m[name].size * int(kind[2])
    return m


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("encoder")
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("cache"))
    args = parser.parse_args()
    m, space = unpack(args.models / text_export.NAME), text_space.Space.__new__(text_space.Space)
    space.data, space.encoder, space.models, space.cache = args.data, args.encoder, args.models, args.cache
    card, model = measure.load(args.models / "efficientnet-lite1-int8")
    photos = sorted(args.photos.glob("*.jpg"))
    classes = np.array([int(path.stem.split("_")[-1]) for path in photos])
    found = [model(pictures.tensor(path, card["input"]))[card["output"]["embedding"]][0].copy() for path in photos]
    pool = np.concatenate([np.stack(found), space.pictures("val")[1]])
    joined, probability = text_export.join_pictures(m, pool)
    print(f"the classifier's first class is right for {(probability[:len(classes)].argmax(1) == classes).sum()} of {len(classes)}")
    for language in ("en", "cn"):
        names = text_export.benchmark_names(space, language)
        vectors, pieces = space.encode(f"benchmark_{language}", names)
        for share in (None, 0.0, 1.0):
            scores = text_export.join_texts(m, vectors[classes], pieces[classes], share) @ joined.T
            best = [max(s[j] for j in np.flatnonzero(classes == c)) for s, c in zip(scores, classes)]
            rank = np.array([(s > b).sum() for s, b in zip(scores, best)])
            print(f"{language} {'gate' if share is None else f'share {share}':10} R@1 {(rank < 1).sum()} R@5 {(rank < 5).sum()} "
                  f"R@10 {(rank < 10).sum()} of {len(classes)}; a name like {json.dumps(names[classes[0]], ensure_ascii=False)}")


if __name__ == "__main__":
    main()
