# SPDX-License-Identifier: Apache-2.0
"""Make tests/data/models/tiny_clip.*: a CLIP of random weights, two towers in ONNX with a tokenizer and a card.

    python make_tiny_clip.py tests/data/models

Picture tower: 8 x 8 patches of a 32 x 32 picture -> ReLU -> mean -> 24 numbers. Text tower: embeddings and positions -> one
masked attention layer -> quick GELU layer -> the place of the end token -> 24 numbers, as CLIP does. golden_clip.json holds
texts and what ONNX Runtime gives for them, of length 1, and the same for the picture of golden.json.
"""
import argparse
import hashlib
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from agree_tokenizers import clip
from make_tiny import MEAN, SIZE, STD, golden_input
from make_tiny_tokenizers import SENTENCES

DIM, WIDTH, LENGTH, VOCAB = 24, 16, 16, 560
TEXTS = ["a photo of a cat", "两只狗在雪地里奔跑", "",
         "a red car at night in front of a house and a great many more words than fit", "Ça va? 👍"]


def draw(rng, scale, *shape):
    """Multiples of 1/64 are the same in every format."""
    return (np.round(rng.normal(0, scale, shape) * 64) / 64).astype(np.float32)


def save(path, name, nodes, inputs, weights):
    graph = helper.make_graph(nodes, name, inputs, [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, ["n", DIM])],
                              [numpy_helper.from_array(v, k) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="akin")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, path)


def picture_tower(rng, path):
    node = helper.make_node
    weights = {"w": draw(rng, 0.2, WIDTH, 3, 8, 8), "b": draw(rng, 0.2, WIDTH), "p": draw(rng, 0.5, WIDTH, DIM)}
    save(path, "tiny_clip_picture",
         [node("Conv", ["pixel_values", "w", "b"], ["patches"], kernel_shape=[8, 8], strides=[8, 8]),
          node("Relu", ["patches"], ["active"]), node("GlobalAveragePool", ["active"], ["mean"]),
          node("Flatten", ["mean"], ["flat"], axis=1), node("MatMul", ["flat", "p"], ["image_embeds"])],
         [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])], weights)


def text_tower(rng, path, n_pieces, end):
    """As CLIP's, with one layer of one head. Without the projection `o`, OpenVINO 2026.4.1 crashes while compiling."""
    node = helper.make_node
    causal = np.triu(np.full((LENGTH, LENGTH), -1e4, np.float32), 1)
    weights = {"tokens": draw(rng, 1, n_pieces, WIDTH), "places": draw(rng, 0.5, LENGTH, WIDTH), "q": draw(rng, 0.4, WIDTH, WIDTH),
               "k": draw(rng, 0.4, WIDTH, WIDTH), "v": draw(rng, 0.4, WIDTH, WIDTH), "o": draw(rng, 0.4, WIDTH, WIDTH),
               "m1": draw(rng, 0.4, WIDTH, 2 * WIDTH),
               "m2": draw(rng, 0.3, 2 * WIDTH, WIDTH), "steep": np.float32(1.702), "scale": draw(rng, 1, WIDTH),
               "shift": draw(rng, 0.2, WIDTH),
               "p": draw(rng, 0.5, WIDTH, DIM), "causal": causal, "end": np.int64(end), "one": np.float32(1), "far": np.float32(-1e4),
               "axis": np.int64([1])}
    save(path, "tiny_clip_text",
         [node("Gather", ["tokens", "input_ids"], ["words"]), node("Add", ["words", "places"], ["x"]),
          node("LayerNormalization", ["x", "scale", "shift"], ["n1"], axis=-1),
          node("MatMul", ["n1", "q"], ["xq"]), node("MatMul", ["n1", "k"], ["xk"]), node("MatMul", ["n1", "v"], ["xv"]),
          node("Transpose", ["xk"], ["xkt"], perm=[0, 2, 1]), node("MatMul", ["xq", "xkt"], ["scores"]),
          node("Add", ["scores", "causal"], ["ahead"]),
          node("Cast", ["attention_mask"], ["there"], to=TensorProto.FLOAT), node("Sub", ["one", "there"], ["gone"]),
          node("Mul", ["gone", "far"], ["hidden"]), node("Unsqueeze", ["hidden", "axis"], ["hidden3"]),
          node("Add", ["ahead", "hidden3"], ["masked"]), node("Softmax", ["masked"], ["looks"], axis=-1),
          node("MatMul", ["looks", "xv"], ["seen"]), node("MatMul", ["seen", "o"], ["so"]),
          node("Add", ["so", "shift"], ["sb"]), node("Add", ["x", "sb"], ["y"]),
          node("LayerNormalization", ["y", "scale", "shift"], ["n2"], axis=-1), node("MatMul", ["n2", "m1"], ["ym"]),
          node("Mul", ["ym", "steep"], ["ys"]), node("Sigmoid", ["ys"], ["gate"]),
          node("Mul", ["ym", "gate"], ["yg"]), node("MatMul", ["yg", "m2"], ["yo"]), node("Add", ["y", "yo"], ["z"]),
          node("Equal", ["input_ids", "end"], ["is_end"]), node("Cast", ["is_end"], ["ends"], to=TensorProto.FLOAT),
          node("ArgMax", ["ends"], ["place"], axis=1, keepdims=1), node("Unsqueeze", ["place", "axis"], ["place3"]),
          node("Shape", ["words"], ["shape"]), node("ConstantOfShape", ["shape"], ["zeros"],
                                                    value=helper.make_tensor("zero", TensorProto.INT64, [1], [0])),
          node("Add", ["zeros", "place3"], ["places3"]), node("GatherElements", ["z", "places3"], ["picked"], axis=1),
          node("ReduceMean", ["picked"], ["last"], axes=[1], keepdims=0),
          node("LayerNormalization", ["last", "scale", "shift"], ["normed"], axis=-1), node("MatMul", ["normed", "p"], ["text_embeds"])],
         [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "length"]),
          helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["n", "length"])], weights)


def card(out, files):
    body = {
        "akin_model": 1, "name": "tiny-clip", "title": "A CLIP of random weights for tests",
        "file": "tiny_clip.picture.onnx",
        "sha256": {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in files},
        "source": "tools/models/make_tiny_clip.py", "licence": "Apache-2.0",
        "input": {"name": "pixel_values", "width": SIZE, "height": SIZE, "layout": "NCHW", "type": "f32", "channels": "RGB",
                  "resize": "stretch", "filter": "bilinear", "mean": MEAN, "std": STD},
        "output": {"embedding": "image_embeds", "pooling": "none", "normalise": True, "dim": DIM},
        "text": {"file": "tiny_clip.text.onnx", "tokenizer": "tiny_clip.tokenizer.json", "ids": "input_ids", "mask": "attention_mask",
                 "output": "text_embeds", "length": LENGTH, "pad_id": 1, "normalise": True, "logit_scale": 100},
        "metric": "cosine",
    }
    (out / "tiny_clip.card.json").write_text(json.dumps(body, indent="\t") + "\n", encoding="utf-8")


def unit(v):
    return [round(float(x), 6) for x in v / np.linalg.norm(v)]


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("out", type=pathlib.Path)
    out = parse.parse_args().out
    rng = np.random.default_rng(20240301)
    tokenizer = clip(SENTENCES, VOCAB)
    end = tokenizer.token_to_id("<|endoftext|>")
    (out / "tiny_clip.tokenizer.json").write_text(tokenizer.to_str() + "\n", encoding="utf-8")
    picture_tower(rng, out / "tiny_clip.picture.onnx")
    text_tower(rng, out / "tiny_clip.text.onnx", tokenizer.get_vocab_size(), end)
    card(out, ["tiny_clip.picture.onnx", "tiny_clip.text.onnx", "tiny_clip.tokenizer.json"])

    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding(length=LENGTH, pad_id=end)
    text = onnxruntime.InferenceSession(out / "tiny_clip.text.onnx")
    picture = onnxruntime.InferenceSession(out / "tiny_clip.picture.onnx")
    golden = {"tolerance": 1e-4, "texts": []}
    for sentence in TEXTS:
        e = tokenizer.encode(sentence)
        vector = text.run(None, {"input_ids": np.int64([e.ids]), "attention_mask": np.int64([e.attention_mask])})[0][0]
        golden["texts"].append({"text": sentence, "ids": e.ids, "mask": e.attention_mask, "vector": unit(vector)})
    pixels = np.ascontiguousarray(golden_input().transpose(0, 3, 1, 2))
    golden["picture"] = unit(picture.run(None, {"pixel_values": pixels})[0][0])
    (out / "golden_clip.json").write_text(json.dumps(golden, ensure_ascii=True).replace("}, {", "},\n{") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
