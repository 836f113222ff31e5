# SPDX-License-Identifier: Apache-2.0
"""What train_text.py learns from: pictures as their model sees them, texts as the encoder sees them, names of classes."""
import csv
import json
import struct
import subprocess

import numpy as np

ROOT_LABELS, ROOT_TEXT = 6.0, np.sqrt(512)   # bring all inputs to about unit variance
KINDS = {"en": "labels.csv", "zh_human": "captions_zh_human.csv", "zh_machine": "captions_zh_machine.csv"}
N_WINDOWS = 6


def l2(x):
    return x / (np.linalg.norm(x, axis=-1, keepdims=True) + 1e-12)


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def ridge(x, y, strength):
    """Weights and bias of y = x @ weights + bias."""
    x_mean, y_mean = x.mean(0), y.mean(0)
    a = (x - x_mean).astype(np.float64)
    square = a.T @ a
    weights = np.linalg.solve(square + strength * np.trace(square) / len(square) * np.eye(len(square)), a.T @ (y - y_mean))
    return weights, y_mean - x_mean @ weights


def read_captions(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [(row["path"], row["caption"]) for row in csv.DictReader(file)]


class Space:
    def __init__(self, data, encoder, models, cache, dev):
        self.data, self.encoder, self.models, self.cache, self.dev = data, encoder, models, cache, dev
        self.read_pictures()
        self.read_texts()
        order = np.random.default_rng(7).permutation(len(self.unit))
        self.train = order[1000:] if dev else order
        self.test = order[:1000] if dev else None
        roots = np.sqrt(self.unit[self.train])
        self.picture_mean, self.picture_scale = roots.mean(0), roots.std()
        self.text_mean = (self.captions["en"][0].mean(0) + self.captions["zh_human"][0].mean(0)) / 2

    # ---- pictures ----

    def read_pictures(self):
        names, embedding, logits, self.windows = self.pictures("train")
        self.index = {name: i for i, name in enumerate(names)}
        self.unit, self.classifier = l2(embedding), ridge(embedding, logits, 1e-9)
        self.norm = ridge(self.unit, np.log(np.linalg.norm(embedding, axis=1)), 1e-3)
        self.probability = self.classify(self.unit)

    def classify(self, unit):
        """As the C code does, from an embedding of unit length."""
        length = np.exp(unit @ self.norm[0] + self.norm[1])
        return softmax((unit @ self.classifier[0]) * length[:, None] + self.classifier[1]).astype(np.float32)

    def picture_input(self, unit, probability):
        return np.concatenate([(np.sqrt(unit) - self.picture_mean) / self.picture_scale,
                               np.sqrt(probability) * ROOT_LABELS], 1).astype(np.float32)

    def pictures(self, part):
        """Names, embeddings as pooled, logits and some windows of the map's cells, averaged."""
        path = self.cache / f"pictures_{part}.npz"
        if not path.exists():
            self.run_picture_model(self.data / f"flickr8k_{part}", path)
        kept = np.load(path)
        return list(kept["names"]), kept["embedding"], kept["logits"], kept["windows"]

    def run_picture_model(self, folder, path):
        import measure
        import pictures
        card, model = measure.load(self.models / "efficientnet-lite1-int8")
        out, rng = card["output"], np.random.default_rng(0)
        names = sorted({name for name, _ in read_captions(folder / "labels.csv")})
        embedding, logits, windows = [], [], []
        for name in names:
            said = model(pictures.tensor(folder / name, card["input"]))
            embedding.append(said[out["embedding"]][0].copy())
            logits.append(said[out["logits"]][0].copy())
            windows.append([window(said[out["map"]][0], rng) for _ in range(N_WINDOWS)])
        np.savez(path, names=names, embedding=embedding, logits=logits,
                 windows=np.array(windows, np.float16).transpose(1, 0, 2))

    # ---- texts ----

    def read_texts(self):
        self.captions, self.of_picture = {}, {}
        for kind, file in KINDS.items():
            rows = read_captions(self.data / "flickr8k_train" / file)
            vectors, pieces = self.encode(f"train_{kind}", [caption for _, caption in rows])
            owner = np.array([self.index[name] for name, _ in rows])
            self.captions[kind] = vectors, owner, pieces
            self.of_picture[kind] = [[] for _ in self.unit]
            for i, picture in enumerate(owner):
                self.of_picture[kind][picture].append(i)
        vectors = self.captions["en"][0] - self.captions["en"][0].mean(0)
        self.meaning = l2(np.stack([l2(vectors[rows]).mean(0) for rows in self.of_picture["en"]])).astype(np.float32)

    def text_input(self, vector):
        return ((vector - self.text_mean) * ROOT_TEXT).astype(np.float32)

    def encode(self, name, texts):
        """Vectors of unit length, and into how many pieces each text was cut; by akin's own encoder."""
        path = self.cache / f"texts_{name}.npz"
        if not path.exists():
            stdin = b"".join(struct.pack("<I", len(t)) + t for t in (text.encode() for text in texts))
            out = subprocess.run([self.encoder, self.models / "use-multilingual-v3", "-"], input=stdin,
                                 stdout=subprocess.PIPE, check=True).stdout
            vectors, pieces, at = np.zeros((len(texts), 512), np.float32), np.zeros(len(texts), int), 0
            for i in range(len(texts)):
                pieces[i] = struct.unpack_from("<I", out, at)[0]
                vectors[i] = np.frombuffer(out, "<f4", 512, at + 4 + 4 * pieces[i])
                at += 4 + 4 * pieces[i] + 4 * 512
            np.savez(path, vectors=vectors, pieces=pieces)
        kept = np.load(path)
        return l2(kept["vectors"]).astype(np.float32), kept["pieces"]


def window(cells, rng):
    """The mean of a random rectangle of at least 5 x 5 of the map's 8 x 8 cells."""
    height, width = rng.integers(5, cells.shape[1] + 1), rng.integers(5, cells.shape[2] + 1)
    y, x = rng.integers(0, cells.shape[1] - height + 1), rng.integers(0, cells.shape[2] - width + 1)
    return cells[:, y:y + height, x:x + width].mean((1, 2))
