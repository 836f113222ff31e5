# SPDX-License-Identifier: Apache-2.0
"""Print the table of docs/models.md: retrieval quality, speed and size of model folders.

    python measure.py DATASET[,DATASET...] MODEL_FOLDER... [--reference MODEL_FOLDER] [--latency 200]

A DATASET is a folder with labels.csv (columns path,label). Every picture is a query against all others, by the cosine
of the L2-normalised embeddings. AP is over the full ranking, as trec_eval computes it; equal scores keep the order of
labels.csv. Milliseconds: one thread, one picture a call, the tensor already made, fp32 arithmetic where not int8.
--reference names a model whose top-1 label every model's top-1 is compared with. --pooling pools `map` another way.
"""
import argparse
import csv
import json
import pathlib
import time

import numpy as np
import openvino as ov

import pictures

CONFIG = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
WARM_UP = 10


def load(folder, config=CONFIG):
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return card, ov.Core().compile_model(folder / card["file"], "CPU", config)


def dataset(folder):
    with open(folder / "labels.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [folder / row["path"] for row in rows], np.unique([row["label"] for row in rows], return_inverse=True)[1]


POOLINGS = {    # of `map`, as cells x channels; "embedding" takes the model's own output
    "gem3": lambda cells: np.cbrt((cells ** 3).mean(0)),
    "max": lambda cells: cells.max(0),
    "root": lambda cells: np.sqrt(cells.mean(0)),
}


def describe(compiled, card, paths, pooling="embedding"):
    """Embeddings (not yet normalised) and top-1 classes."""
    vectors, classes = [], []
    names = card["output"]
    for path in paths:
        out = compiled(pictures.tensor(path, card["input"]))
        if pooling == "embedding":
            vectors.append(out[names["embedding"]][0].copy())
        else:
            cells = out[names["map"]][0]
            vectors.append(POOLINGS[pooling](cells.reshape(len(cells), -1).T))
        classes.append(int(out[names["logits"]][0].argmax()))
    return np.stack(vectors), np.array(classes)


def retrieval(vectors, labels):
    """(mAP, P@10) with every row as a query against the rest; a query nothing else answers is left out."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = unit @ unit.T
    precisions, tens = [], []
    for i in range(len(unit)):
        order = np.argsort(-scores[i], kind="stable")
        hits = labels[order[order != i]] == labels[i]
        if not hits.any():
            continue
        ranks = np.flatnonzero(hits) + 1
        precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
        tens.append(hits[:10].mean())
    return float(np.mean(precisions)), float(np.mean(tens))


def latencies(models, runs):
    """For each model the median, 10th and 90th percentile in milliseconds. The models take turns, a run each, so that
    whatever else the machine does meets them all alike."""
    rng = np.random.default_rng(1)
    requests = []
    for card, compiled in models:
        shape = (1, 3, card["input"]["height"], card["input"]["width"])
        requests.append((compiled.create_infer_request(), rng.normal(0, 1, shape).astype(np.float32), []))
    for _ in range(runs + WARM_UP):
        for request, noise, times in requests:
            request.infer([noise], share_inputs=True)    # brings this model back into the cache
            begin = time.perf_counter()
            request.infer([noise], share_inputs=True)
            times.append((time.perf_counter() - begin) * 1e3)
    return [np.percentile(times[WARM_UP:], [50, 10, 90]) for _, _, times in requests]


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("datasets", type=lambda text: [pathlib.Path(part) for part in text.split(",")])
    parse.add_argument("models", nargs="+", type=pathlib.Path)
    parse.add_argument("--reference", type=pathlib.Path)
    parse.add_argument("--latency", type=int, default=200, metavar="RUNS")
    parse.add_argument("--pooling", choices=["embedding", *POOLINGS], default="embedding")
    args = parse.parse_args()

    sets = [(folder.name, *dataset(folder)) for folder in args.datasets]
    reference = {}
    if args.reference:
        card, compiled = load(args.reference)
        reference = {name: describe(compiled, card, paths)[1] for name, paths, _ in sets}

    models = [load(folder) for folder in args.models]
    heads = [f"{name} {what}" for name, _, _ in sets for what in ("mAP", "P@10")]
    heads += [f"{name} same top-1" for name in reference]
    print("| model | " + " | ".join(heads) + " | ms (p10..p90) | MB |")
    print("|---|" + "---|" * (len(heads) + 2))
    times = latencies(models, args.latency)
    for folder, (card, compiled), (middle, low, high) in zip(args.models, models, times):
        cells, same = [], []
        for name, paths, labels in sets:
            vectors, classes = describe(compiled, card, paths, args.pooling)
            cells += [f"{value:.4f}" for value in retrieval(vectors, labels)]
            same += [f"{np.mean(classes == reference[name]):.3f}"] if reference else []
        size = sum((folder / card[key]).stat().st_size for key in ("file", "weights") if key in card) / 1e6
        cells += same + [f"{middle:.1f} ({low:.1f}..{high:.1f})", f"{size:.1f}"]
        print(f"| {folder.name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
