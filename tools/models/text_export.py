# SPDX-License-Identifier: Apache-2.0
"""The label part, the gate, the table of numbers and the files of an alignment: the second half of train_text.py."""
import csv
import hashlib
import json
import struct

import numpy as np

from text_space import l2, read_captions, softmax

NAME, LABEL, VERSION = "akin-text-1", 287, 1
LOW, HIGH = 0.1, 0.93          # the label part's share in a described scene and in a name; chosen with --dev
OTHER_LANGUAGES = 0.4          # weight of Japanese, Italian and Arabic names beside English and Chinese ones
LEAST = 1e-4                   # as least_probability in src/feature/alignment.c
F16 = ("classifier", "picture_roots", "picture_labels", "text_in", "text_out", "text_straight", "label_text", "class_labels")
F32 = ("norm", "norm_bias", "class_bias", "picture_bias", "hidden_bias", "text_bias", "label_bias", "gate", "gate_terms")


# ---- the label part ----

def class_names(space):
    """Of each language: texts and the class each belongs to."""
    names = {"en": [], "zh": []}
    with open(space.models / "efficientnet-lite1-int8" / "labels.tsv", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            for language in names:
                names[language] += [(name, int(row["index"])) for name in row[language].split("|") if name]
    for language in ("jp", "it", "ar"):
        names[language] = [(name, i) for i, name in enumerate(benchmark_names(space, language))]
    return names


def benchmark_names(space, language):
    path = space.data / "classnames" / f"clip_benchmark_{language}_classnames.json"
    return json.loads(path.read_text(encoding="utf-8"))["imagenet1k"]


def label_part(space, m):
    encoded, total, means = {}, 0, []
    for language, names in class_names(space).items():
        vectors, pieces = space.encode(f"names_{language}", [name for name, _ in names])
        owner = np.array([c for _, c in names])
        encoded[language] = vectors, pieces
        sums = np.zeros((1000, vectors.shape[1]))
        np.add.at(sums, owner, vectors - vectors.mean(0))
        total = total + l2(sums) * (1 if language in ("en", "zh") else OTHER_LANGUAGES)
        means.append(vectors.mean(0))
    classes = l2(total)
    axes = np.linalg.svd(classes, full_matrices=False)[2][:LABEL]
    m["label_text"], m["label_bias"] = axes, -axes @ ((means[0] + means[1]) / 2)
    m["class_labels"] = l2(classes @ axes.T)
    return encoded


# ---- both sides, as the C code computes them ----

def join_pictures(m, embedding):
    unit = l2(embedding)
    length = np.exp(unit @ m["norm"] + m["norm_bias"])
    probability = softmax((unit @ m["classifier"].T) * length[:, None] + m["class_bias"])
    aligned = np.sqrt(np.maximum(unit, 0)) @ m["picture_roots"].T + np.sqrt(probability) @ m["picture_labels"].T
    aligned = heads_to_unit(m, aligned + m["picture_bias"])
    label = np.where(probability < LEAST, 0, probability) @ m["class_labels"]
    rest = np.sqrt(np.maximum(0, 1 - (label ** 2).sum(1)))
    return l2(np.concatenate([aligned, label, rest[:, None]], 1)), probability


def heads_to_unit(m, aligned):
    return l2(l2(aligned.reshape(len(aligned), m["heads"], -1)).reshape(len(aligned), -1))


def gelu(x):
    return x * 0.5 * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x ** 3)))


def label_texts(m, text):
    return l2(text @ m["label_text"].T + m["label_bias"])


def gate_inputs(m, text, pieces):
    nearest = (label_texts(m, text) @ m["class_labels"].T).max(1)
    return np.concatenate([text, np.log(pieces + 1.0)[:, None], nearest[:, None]], 1)


def shares(m, text, pieces):
    bias, length, match, low, high = m["gate_terms"]
    z = gate_inputs(m, text, pieces) @ np.concatenate([m["gate"], [length, match]]) + bias
    return low + (high - low) / (1 + np.exp(-np.clip(z, -40, 40)))


def join_texts(m, text, pieces, share=None):
    aligned = gelu(text @ m["text_in"].T + m["hidden_bias"]) @ m["text_out"].T + text @ m["text_straight"].T + m["text_bias"]
    share = (shares(m, text, pieces) if share is None else np.full(len(text), share))[:, None]
    return l2(np.concatenate([(1 - share) * heads_to_unit(m, aligned), share * label_texts(m, text), np.zeros_like(share)], 1))


# ---- the gate ----

def fragments(space, rng):
    """Some words of captions: short, yet no names. Otherwise the gate would learn length alone."""
    out = []
    for file, least, most, n in (("labels.csv", 2, 4, 4000), ("captions_zh_human.csv", 2, 6, 4000)):
        rows = read_captions(space.data / "flickr8k_train" / file)
        for i in rng.choice(len(rows), n, replace=False):
            units = rows[i][1].rstrip(" .。").split() if file == "labels.csv" else list(rows[i][1].rstrip("。"))
            size = int(rng.integers(least, most + 1))
            at = int(rng.integers(0, max(1, len(units) - size + 1)))
            out.append((" " if file == "labels.csv" else "").join(units[at:at + size]) or "?")
    return out


def learn_gate(space, m, encoded):
    """Logistic regression: the names of things against captions."""
    m["gate"], m["gate_terms"] = np.zeros(512), np.array([0, 0, 0, LOW, HIGH])
    rng, inputs, wanted, weight = np.random.default_rng(3), [], [], []
    owners = np.isin(np.arange(len(space.unit)), space.train)
    for kind, (vectors, owner, pieces) in space.captions.items():
        rows = rng.permutation(np.flatnonzero(owners[owner]))[:4000]
        inputs.append(gate_inputs(m, vectors[rows], pieces[rows]))
        wanted.append(np.zeros(len(rows)))
    vectors, pieces = space.encode("fragments", fragments(space, rng))
    inputs.append(gate_inputs(m, vectors, pieces))
    wanted.append(np.zeros(len(vectors)))
    for vectors, pieces in encoded.values():
        inputs.append(gate_inputs(m, vectors, pieces))
        wanted.append(np.ones(len(vectors)))
    x, y = np.concatenate(inputs), np.concatenate(wanted)
    middle = x.mean(0)
    x = np.concatenate([x - middle, np.ones((len(x), 1))], 1)
    w, keep = np.zeros(x.shape[1]), 3.0 * np.eye(x.shape[1])
    keep[-1, -1] = 0
    for _ in range(12):   # Newton
        p = 1 / (1 + np.exp(-x @ w))
        w -= np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + keep, x.T @ (p - y) + keep @ w)
    m["gate"] = w[:512]
    m["gate_terms"] = np.array([w[-1] - middle @ w[:-1], w[512], w[513], LOW, HIGH])


# ---- numbers ----

def recall(texts, owner, pictures, ks=(1, 5, 10)):
    scores = texts @ pictures.T
    rank = (scores > scores[np.arange(len(texts)), owner][:, None]).sum(1)
    return [100 * float((rank < k).mean()) for k in ks]


def test_set(space):
    """Embeddings of the pictures, and of each kind of caption vectors, owners, pieces."""
    if space.dev:
        place = np.full(len(space.unit), -1)
        place[space.test] = np.arange(len(space.test))
        kept = {kind: np.flatnonzero(place[owner] >= 0) for kind, (_, owner, _) in space.captions.items()}
        return space.unit[space.test], {kind: (space.captions[kind][0][r], place[space.captions[kind][1][r]],
                                               space.captions[kind][2][r]) for kind, r in kept.items()}
    names, embedding, _, _ = space.pictures("val")
    place, texts = {name: i for i, name in enumerate(names)}, {}
    for kind, file in (("en", "labels.csv"), ("zh_human", "captions_zh_human.csv")):
        rows = read_captions(space.data / "flickr8k_val" / file)
        texts[kind] = (*space.encode(f"val_{kind}", [c for _, c in rows]), np.array([place[p] for p, _ in rows]))
        texts[kind] = texts[kind][0], texts[kind][2], texts[kind][1]
    return embedding, texts


def print_table(space, m):
    embedding, texts = test_set(space)
    pictures, _ = join_pictures(m, embedding)
    table = {}
    for kind, (vectors, owner, pieces) in texts.items():
        for share in [None] + ([0.0, 0.1, 0.2, 0.3, 0.4, 0.5] if space.dev else [0.0]):
            numbers = recall(join_texts(m, vectors, pieces, share), owner, pictures)
            what = "gate" if share is None else f"share {share}"
            print(f"{kind:12} {what:10} R@1/5/10 = " + " / ".join(f"{n:.1f}" for n in numbers), flush=True)
            if share is None:
                table[f"captions {kind}"] = [round(n, 1) for n in numbers]
        print(f"{kind:12} mean share {shares(m, vectors, pieces).mean():.3f}")
    for language in ("en", "cn"):   # other people's names for the same classes: never seen above
        vectors, pieces = space.encode(f"benchmark_{language}", benchmark_names(space, language))
        hit = (label_texts(m, vectors) @ m["class_labels"].T).argmax(1) == np.arange(1000)
        share = shares(m, vectors, pieces)
        print(f"names {language:6} share mean {share.mean():.3f}, above 0.7: {100 * (share > .7).mean():.1f} %; "
              f"nearest class right {100 * hit.mean():.1f} %")
        table[f"names {language}: nearest class"] = round(100 * float(hit.mean()), 1)
    vectors, owner, pieces = texts["en"]
    scores = join_texts(m, vectors[:1000], pieces[:1000]) @ pictures.T
    scores[np.arange(1000), owner[:1000]] = np.nan
    return table, float(np.nanmedian(scores))


# ---- files ----

def sha256_of(space, model):
    folder = space.models / model
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return card["sha256"][card.get("weights", card["file"])]


def checksum(body):
    import xxhash
    return xxhash.xxh3_64_intdigest(body, 0)


def pack(m):
    body = b"".join(np.asarray(m[name], "<f4").tobytes() for name in F32)
    body += b"".join(np.asarray(m[name], "<f2").tobytes() for name in F16)
    n_classes, picture_dim = m["classifier"].shape
    hidden, text_dim = m["text_in"].shape
    header = struct.pack("<8s8IQQQ", b"AKINALGN", VERSION, picture_dim, text_dim, n_classes, hidden, len(m["picture_bias"]),
                         m["class_labels"].shape[1], m["heads"], 64 + len(body), checksum(body), 0)
    return header + body


def finish(space, m, heads, args):
    m["heads"] = heads
    m["classifier"], m["class_bias"] = space.classifier[0].T, space.classifier[1]
    m["norm"], m["norm_bias"] = space.norm[0], np.array([space.norm[1]])
    learn_gate(space, m, label_part(space, m))
    for name in F16:   # the numbers below are those of the file
        m[name] = np.asarray(m[name], np.float16).astype(np.float64)
    table, random_cosine = print_table(space, m)
    if space.dev:
        return
    folder = space.models / NAME
    folder.mkdir(exist_ok=True)
    weights = pack(m)
    (folder / "alignment.bin").write_bytes(weights)
    card = {
        "akin_alignment": 1, "name": NAME,
        "title": "Pictures of efficientnet-lite1-int8 and texts of use-multilingual-v3 in one space",
        "file": "alignment.bin", "sha256": {"alignment.bin": hashlib.sha256(weights).hexdigest()},
        "dim": len(m["picture_bias"]) + LABEL + 1,
        "picture_model": {"name": "efficientnet-lite1-int8", "sha256": sha256_of(space, "efficientnet-lite1-int8"), "dim": 1280},
        "text_model": {"name": "use-multilingual-v3", "sha256": sha256_of(space, "use-multilingual-v3"), "dim": 512},
        "random_cosine": round(random_cosine, 4),
        "source": "trained by tools/models/train_text.py on the captions of 6,000 pictures of Flickr8k (English; Chinese by "
                  "people and by machine) and on the names of ImageNet's classes in five languages",
        "licence": "Apache-2.0 for these weights; the captions and pictures they were learned from may be used for research",
        "measured": table,
    }
    (folder / "alignment.json").write_text(json.dumps(card, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(weights)} bytes, {card['sha256']['alignment.bin']}")
