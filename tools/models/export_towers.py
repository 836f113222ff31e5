# SPDX-License-Identifier: Apache-2.0
"""Make a model folder for akin from a CLIP-like checkpoint of `transformers`: two towers in ONNX, tokenizer.json, card.

    pip install torch transformers onnx onnxscript
    python export_towers.py openai/clip-vit-base-patch32 --name clip-vit-b32 --licence MIT --out clip-vit-b32
    akin models add clip-vit-b32

CHECKPOINT is a name or a folder that transformers reads (CLIP, Chinese-CLIP, SigLIP, SigLIP 2 at a fixed size). Each tower
is traced alone, at the length and the size it was trained with; --random writes the same network with random weights.
"""
import argparse
import hashlib
import inspect
import json
import pathlib

import torch
import transformers


TRAINED_LENGTH = {"clip": 77, "chinese_clip": 52, "siglip": 64, "siglip2": 64}
OPSET = 14    # the lowest with all that the towers need


class Picture(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return features(self.model.get_image_features(pixel_values=pixel_values))


class Text(torch.nn.Module):
    def __init__(self, model, has_mask):
        super().__init__()
        self.model, self.has_mask = model, has_mask

    def forward(self, input_ids, attention_mask=None):
        mask = {"attention_mask": attention_mask} if self.has_mask else {}
        return features(self.model.get_text_features(input_ids=input_ids, **mask))


def features(out):
    """A tensor, or from transformers 5 on an object that holds it."""
    return out if isinstance(out, torch.Tensor) else out.pooler_output


def export(module, inputs, names, output, path):
    tracing = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(module, inputs, str(path), input_names=names, output_names=[output], opset_version=OPSET, **tracing)


def read_tokenizer(checkpoint):
    """The checkpoint's tokenizer.json, or what transformers makes of an older vocabulary."""
    try:
        return transformers.PreTrainedTokenizerFast.from_pretrained(checkpoint)
    except (OSError, ValueError):
        return transformers.AutoTokenizer.from_pretrained(checkpoint, use_fast=True)


def picture_input(processor, size):
    """What the card says of the picture, from the checkpoint's own processor. Its numbers are for 0..1, akin's for 0..255."""
    p = processor.to_dict()
    resize = p.get("size", {})
    shorter = "shortest_edge" in resize
    filters = {2: "bilinear", 3: "bicubic", 1: "lanczos"}
    return {"name": "pixel_values", "width": size, "height": size, "layout": "NCHW", "type": "f32", "channels": "RGB",
            "resize": "shorter" if shorter else "stretch", "resize_to": resize["shortest_edge"] if shorter else size,
            "filter": filters[p.get("resample", 3)], "crop": "centre" if shorter else "none",
            "mean": [round(v * 255, 4) for v in p["image_mean"]], "std": [round(v * 255, 4) for v in p["image_std"]]}


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("checkpoint")
    parse.add_argument("--name", required=True)
    parse.add_argument("--licence", required=True, help="SPDX id of the weights' licence")
    parse.add_argument("--out", type=pathlib.Path, required=True)
    parse.add_argument("--random", action="store_true", help="the network without its weights")
    args = parse.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    config = transformers.AutoConfig.from_pretrained(args.checkpoint)
    if args.random:
        torch.manual_seed(1)
        model = transformers.AutoModel.from_config(config, attn_implementation="eager")
    else:
        model = transformers.AutoModel.from_pretrained(args.checkpoint, attn_implementation="eager")
    model.eval()
    tokenizer = read_tokenizer(args.checkpoint)
    processor = transformers.AutoImageProcessor.from_pretrained(args.checkpoint)
    tokenizer.backend_tokenizer.save(str(args.out / "tokenizer.json"))

    size = config.vision_config.image_size
    length = min(config.text_config.max_position_embeddings, TRAINED_LENGTH.get(config.model_type, 64))
    has_mask = not config.model_type.startswith("siglip")    # SigLIP was trained on padded texts without a mask
    ids = torch.ones(1, length, dtype=torch.int64)
    names = ["input_ids", "attention_mask"] if has_mask else ["input_ids"]
    with torch.no_grad():
        dim = features(model.get_image_features(pixel_values=torch.zeros(1, 3, size, size))).shape[-1]
        export(Picture(model), (torch.zeros(1, 3, size, size),), ["pixel_values"], "image_embeds", args.out / "picture.onnx")
        export(Text(model, has_mask), (ids, ids) if has_mask else (ids,), names, "text_embeds", args.out / "text.onnx")

    files = ["picture.onnx", "text.onnx", "tokenizer.json"]
    card = {"akin_model": 1, "name": args.name, "file": "picture.onnx",
            "sha256": {f: hashlib.sha256((args.out / f).read_bytes()).hexdigest() for f in files},
            "source": f"{args.checkpoint}, by transformers {transformers.__version__}", "licence": args.licence,
            "input": picture_input(processor, size),
            "output": {"embedding": "image_embeds", "pooling": "none", "normalise": True, "dim": dim},
            "text": {"file": "text.onnx", "tokenizer": "tokenizer.json", "ids": "input_ids",
                     "mask": "attention_mask" if has_mask else None, "output": "text_embeds", "length": length,
                     "pad_id": tokenizer.pad_token_id, "normalise": True,
                     "logit_scale": round(float(model.logit_scale.exp()), 3)},
            "metric": "cosine"}
    if hasattr(model, "logit_bias"):
        card["text"]["logit_bias"] = round(float(model.logit_bias), 3)
    (args.out / "card.json").write_text(json.dumps(card, indent="\t") + "\n", encoding="utf-8")
    print(f"{args.out}: {sum(p.stat().st_size for p in args.out.iterdir()) >> 20} MB")


if __name__ == "__main__":
    main()
