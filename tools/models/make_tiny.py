# SPDX-License-Identifier: Apache-2.0
"""Make the tiny models of tests/data/models: one small network in every file format that OpenVINO reads.

    python make_tiny.py tests/data/models

All hold the same weights (fixed seed), so their outputs agree: ONNX, OpenVINO IR and, where TensorFlow is installed
(requirements-tiny.txt), SavedModel, frozen graph and TFLite. golden.json holds an input's recipe and what must come out.
The network: image 3x32x32 -> 3x3 convolution, 8, stride 2, ReLU -> 3x3 convolution, 16, stride 2, ReLU = `map` 16x8x8
-> mean = `embedding` (16) -> linear = `logits` (4).
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil

import numpy as np

SIZE, DIM, N_CLASSES = 32, 16, 4
TF_NAMES = {     # what OpenVINO calls image, map, embedding and logits
    "tiny_saved_model": ["image", "map", "embedding", "logits"],
    "tiny.pb": ["image:0", "map:0", "embedding:0", "logits:0"],
    "tiny.tflite": ["serving_default_image:0", "PartitionedCall:2", "PartitionedCall:0", "PartitionedCall:1"],
}
MEAN, STD = [127.0, 127.0, 127.0], [128.0, 128.0, 128.0]


def weights():
    """Multiples of 1/64: every format stores them without loss."""
    rng = np.random.default_rng(20240229)

    def draw(scale, *shape):
        return (np.round(rng.normal(0, scale, shape) * 64) / 64).astype(np.float32)

    return {"w1": draw(0.5, 8, 3, 3, 3), "b1": draw(0.3, 8), "w2": draw(0.3, DIM, 8, 3, 3), "b2": draw(0.3, DIM),
            "fc": draw(0.5, N_CLASSES, DIM), "bias": draw(0.2, N_CLASSES)}


def golden_pixels():
    """The picture of golden.json: byte (y, x, c) = (7 y + 3 x + 50 c) mod 256."""
    y, x, c = np.mgrid[:SIZE, :SIZE, :3]
    return ((7 * y + 3 * x + 50 * c) % 256).astype(np.uint8)


def golden_input():
    pixels = golden_pixels().astype(np.float32)
    return ((pixels - np.float32(MEAN)) / np.float32(STD))[None]


def make_onnx(w, path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    same = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1]}    # TensorFlow's SAME for an even size
    nodes = [helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], name="c1", **same),
             helper.make_node("Relu", ["c1"], ["r1"], name="r1"),
             helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], name="c2", **same),
             helper.make_node("Relu", ["c2"], ["map"], name="map"),
             helper.make_node("GlobalAveragePool", ["map"], ["pool"], name="pool"),
             helper.make_node("Flatten", ["pool"], ["embedding"], name="embedding", axis=1),
             helper.make_node("Gemm", ["embedding", "fc", "bias"], ["logits"], name="logits", transB=1)]

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])

    graph = helper.make_graph(nodes, "tiny", [value("image", 3, SIZE, SIZE)],
                              [value("map", DIM, 8, 8), value("embedding", DIM), value("logits", N_CLASSES)],
                              [numpy_helper.from_array(v, k) for k, v in w.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="akin")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, path)


def make_ir(onnx_path, xml_path):
    import openvino as ov
    model = ov.Core().read_model(onnx_path)
    model.set_friendly_name("tiny")
    ov.save_model(model, xml_path, compress_to_fp16=False)


def make_tensorflow(w, out):
    """SavedModel, frozen graph and TFLite, all NHWC."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    class Tiny(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32, name="image")])
        def serve(self, image):
            kernel = [tf.constant(w[k].transpose(2, 3, 1, 0)) for k in ("w1", "w2")]
            x = tf.nn.relu(tf.nn.conv2d(image, kernel[0], 2, "SAME") + w["b1"])
            x = tf.nn.relu(tf.nn.conv2d(x, kernel[1], 2, "SAME") + w["b2"], name="map")
            embedding = tf.reduce_mean(x, [1, 2], name="embedding")
            logits = tf.add(tf.matmul(embedding, w["fc"].T), w["bias"], name="logits")
            return {"map": x, "embedding": embedding, "logits": logits}

    tiny = Tiny()
    folder = out / "tiny_saved_model"
    shutil.rmtree(folder, ignore_errors=True)
    tf.saved_model.save(tiny, str(folder), signatures=tiny.serve)
    shutil.rmtree(folder / "assets", ignore_errors=True)
    (folder / "fingerprint.pb").unlink(missing_ok=True)    # differs each time; nothing reads it
    frozen = convert_variables_to_constants_v2(tiny.serve.get_concrete_function())
    graph = frozen.graph.as_graph_def()
    (out / "tiny.pb").write_bytes(graph.SerializeToString(deterministic=True))
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    (out / "tiny.tflite").write_bytes(converter.convert())


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def card(out, file, names, layout):
    """names: what the format calls image, map, embedding, logits."""
    path = out / file
    files = sorted(p.relative_to(out).as_posix() for p in path.rglob("*") if p.is_file()) if path.is_dir() else [file]
    weights_file = {"weights": "tiny.bin"} if file == "tiny.xml" else {}
    files += weights_file.values()
    kind = file.replace("tiny_", "").replace("tiny.", "")
    body = {
        "akin_model": 1,
        "name": f"tiny-{kind.replace('_', '-')}",
        "title": f"A network of 1,600 weights for tests, as {kind}",
        "file": file, **weights_file,
        "sha256": {name: sha256(out / name) for name in files},
        "source": "tools/models/make_tiny.py",
        "licence": "Apache-2.0",
        "input": {"name": names[0], "width": SIZE, "height": SIZE, "layout": layout, "type": "f32", "channels": "RGB",
                  "resize": "stretch", "resize_to": SIZE, "filter": "bilinear", "crop": "none", "mean": MEAN,
                  "std": STD, "denoise": "none", "autocontrast": False},
        "output": {"embedding": names[2], "map": names[1], "map_layout": layout, "logits": names[3],
                   "pooling": "none", "gem_p": 3, "normalise": True, "dim": DIM},
        "metric": "cosine",
        "labels": {"file": "tiny_labels.tsv", "softmax": True},
        "calibration": {"random_cosine": 0.5, "random_cosine_p95": 0.8, "n_pictures": 0},
    }
    stem = "tiny_saved_model" if path.is_dir() else file.replace(".", "_")
    (out / f"{stem}.card.json").write_text(json.dumps(body, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")


LABELS = """index\twnid\ten\tzh\ten_broader\tzh_broader
0\tn00000000\tred thing|red\t红色的东西|红色\tthing\t东西
1\tn00000001\tgreen thing|green\t绿色的东西|绿色\tthing\t东西
2\tn00000002\tblue thing|blue\t蓝色的东西|蓝色\tthing\t东西
3\tn00000003\tgrey thing|gray thing\t灰色的东西|灰色\tthing\t东西
"""


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("out", type=pathlib.Path)
    out = parse.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    w = weights()
    names = ["image", "map", "embedding", "logits"]
    (out / "tiny_labels.tsv").write_text(LABELS, encoding="utf-8")
    make_onnx(w, out / "tiny.onnx")
    make_ir(out / "tiny.onnx", out / "tiny.xml")
    for file in ("tiny.onnx", "tiny.xml"):
        card(out, file, names, "NCHW")
    try:
        make_tensorflow(w, out)
    except ImportError as missing:
        print(f"no TensorFlow formats: {missing}")
    else:
        for file in ("tiny_saved_model", "tiny.pb", "tiny.tflite"):
            card(out, file, TF_NAMES[file], "NHWC")

    import openvino as ov
    compiled = ov.Core().compile_model(out / "tiny.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled(np.ascontiguousarray(golden_input().transpose(0, 3, 1, 2)))
    golden = {"pixels": "byte (y, x, c) = (7 y + 3 x + 50 c) mod 256, 32 x 32 RGB", "tolerance": 1e-4,
              "embedding": [round(float(v), 5) for v in result["embedding"][0]],
              "logits": [round(float(v), 5) for v in result["logits"][0]]}
    (out / "golden.json").write_text(json.dumps(golden, indent="\t") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
