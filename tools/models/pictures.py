# SPDX-License-Identifier: Apache-2.0
"""Pictures to tensors by the `input` part of a model card: the reference for the C code's own way."""
import pathlib

import numpy as np
from PIL import Image, ImageOps

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
           "lanczos": Image.Resampling.LANCZOS}
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


def list_pictures(folder):
    """Paths below folder, relative, in the order of their bytes: the same order everywhere."""
    folder = pathlib.Path(folder)
    found = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES]
    return sorted(found, key=lambda path: path.encode())


def open_rgb(path):
    with Image.open(path) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def resize(picture, card_input):
    """The picture as width x height RGB bytes, resized and cropped by the card."""
    width, height = card_input["width"], card_input["height"]
    how, filter_ = card_input["resize"], FILTERS[card_input["filter"]]
    if how == "stretch":
        return picture.resize((width, height), filter_)
    if how == "pad":
        scale = min(width / picture.width, height / picture.height)
        inner = [max(1, round(side * scale)) for side in picture.size]
        canvas = Image.new("RGB", (width, height), tuple(round(m) for m in card_input["mean"]))
        canvas.paste(picture.resize(inner, filter_), ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return canvas
    if how == "shorter":
        # As torchvision's Resize (which truncates the longer side) and CenterCrop (which rounds halves to even) do.
        to, shorter = card_input["resize_to"], min(picture.size)
        picture = picture.resize([to if side == shorter else to * side // shorter for side in picture.size], filter_)
        left, top = round((picture.width - width) / 2), round((picture.height - height) / 2)
        return picture.crop((left, top, left + width, top + height))
    raise ValueError(f"resize rule {how!r}")


def normalise(pixels, card_input):
    """uint8 (..., h, w, 3) to float32 (..., 3, h, w)."""
    mean, std = np.float32(card_input["mean"]), np.float32(card_input["std"])
    return np.ascontiguousarray(np.moveaxis((pixels.astype(np.float32) - mean) / std, -1, -3))


def tensor(path, card_input):
    """One picture file as a float32 tensor (1, 3, h, w)."""
    pixels = np.asarray(resize(open_rgb(path), card_input))
    return normalise(pixels, card_input)[None]
