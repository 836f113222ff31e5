# SPDX-License-Identifier: Apache-2.0
"""Make the tiny tokenizers of tests/data/tokenizers and golden.json, the ids that the package `tokenizers` gives.

    python make_tiny_tokenizers.py tests/data/tokenizers

Each is trained on the sentences below with the normalizers, pre-tokenizers and post-processor of a kind of model
(agree_tokenizers.py has the kinds); `sentencepiece` also has a compiled table of replacements (requirements-tiny.txt).
"""
import argparse
import io
import json
import pathlib
import tempfile

from agree_tokenizers import KINDS, NASTY, from_sentencepiece, random_texts

SENTENCES = """a photo of a cat
a photo of two dogs running in the snow
a red car at night in front of a house
the sun sets over the sea and the beach is empty
a man rides a horse along the river
three children play with a yellow ball in the garden
an old woman sells fruit at the market
a bowl of soup with bread on a wooden table
the mountains are covered with snow in winter
people walk through the park under green trees
a bird sits on a branch and sings
a black and white picture of a train station
fresh apples, pears and plums in a basket
don't walk on the grass, it's wet
he's the one who'll win the game in 2024
ein Hund läuft über die Wiese
eine Katze schläft auf dem Sofa
un chien court dans la neige
une fille mange une glace à la plage
un perro corre por la playa
un gatto dorme sul divano
een rode auto in de straat
pies biegnie po śniegu
um menino joga bola na rua
kırmızı bir araba
кошка спит на диване
собака бежит по снегу
一只猫在沙发上睡觉
两只狗在雪地里奔跑
一辆红色的汽车停在街上
孩子们在公园里玩
夕阳下的海滩
猫がソファで寝ています
犬が雪の中を走っている
고양이가 소파에서 자고 있다
แมวนอนบนโซฟา
قطة تنام على الأريكة
""".splitlines()
KEPT = ["clip", "gpt4", "gemma", "bert", "bert-cased", "siglip", "wordlevel"]
RULES = {"é": "e", "ﬁ": "fi", "①": "1", "Ａ": "A", "カ\u3099": "ガ", "\u200b": "", "　": " ", "字字": "x", "e\u0301": "E"}


def sentencepiece_model(path):
    """A Unigram model of SentencePiece's own trainer, with a table made of RULES."""
    import sentencepiece
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as rules:
        for old, new in RULES.items():
            rules.write(" ".join(f"{ord(c):X}" for c in old) + "\t" + " ".join(f"{ord(c):X}" for c in new) + "\n")
        rules.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(SENTENCES), model_writer=model, vocab_size=330,
                                                 normalization_rule_tsv=rules.name, hard_vocab_limit=False,
                                                 num_threads=1, minloglevel=2, character_coverage=1.0)
    path.write_bytes(model.getvalue())
    return path


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("out", type=pathlib.Path)
    out = parse.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    made = {name: KINDS[name](SENTENCES, 420) for name in KEPT}
    with tempfile.TemporaryDirectory() as scratch:
        made["sentencepiece"] = from_sentencepiece(sentencepiece_model(pathlib.Path(scratch) / "sp.model"))
    made["siglip"].enable_padding(length=16, pad_id=0)
    made["siglip"].enable_truncation(16)
    made["bert"].enable_truncation(24)
    texts = [text for text in NASTY if len(text) < 120] + SENTENCES + random_texts(60)
    golden = {"texts": texts, "ids": {}}
    for name, t in made.items():
        (out / f"{name}.json").write_text(t.to_str() + "\n", encoding="utf-8")
        golden["ids"][name] = [t.encode(text).ids for text in texts]
    body = json.dumps(golden, ensure_ascii=True, separators=(",", ":")).replace("],[", "],\n[").replace('","', '",\n"')
    (out / "golden.json").write_text(body + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
