# SPDX-License-Identifier: Apache-2.0
"""Compare akin's tokenizer with the package `tokenizers`, line by line.

    python agree_tokenizers.py BUILD/bin/tokenize [--lines FILE-OR-FOLDER]... [--length N] [TOKENIZER.json...]

Without tokenizer files it trains one of every kind on the lines (and takes the real vocabularies of CLIP and Chinese-CLIP
where the packages `open_clip_torch` and `cn_clip` are installed, and a SentencePiece model given by --sentencepiece).
--lines: text or CSV files; a folder is searched for .txt and .csv. Nasty texts are added. Prints, for each tokenizer, how
many lines have the same ids, and the first that differ; exits 1 when any does.
"""
import argparse
import importlib.util
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

NASTY = [
    "", " ", "  ", "\t\n\r ", "a", "é", "e\u0301", "ﬁne ﬂow", "①②③ ½ Ⅷ", "ＡＢＣ　ｄｅｆ", "İstanbul ISTANBUL ıI", "ß ẞ STRASSE",
    "Σίσυφος ΣΊΣΥΦΟΣ", "naïve café", "Ω Å K", "한국어 조합 ᄒ\u1161\u11ab", "हिन्दी में बिल्ली", "ภาษาไทยแมวนอน", "שלום עולם",
    "العربية قطة", "日本語のテスト、猫。", "两只狗在雪地里奔跑", "𠀀𠀁 𪜀 豈 㐀", "👩‍👩‍👧‍👦 👍🏽 🇩🇪🇨🇳", "zero\u200bwidth\u200d joiner\ufeff",
    "soft\u00adhyphen", "\u202eRTL override", "nul\x00inside", "ctrl\x01\x02\x7f\x85\x9f", "tab\tnew\nline\r\nend", "\u180emongolian\u180e",
    "\u2028line\u2029par", "don't can't I'll we've you're he'd she's I'm", "DON'T 'S 'T", "a  b   c    d", "   leading", "trailing   ",
    "1234567890 3.14159 1,000,000 ١٢٣", "!!!???...,,,;;;", "#hashtag @user http://x.y/z?a=b&c=d", "C++ C# .NET", "snake_case camelCase kebab-case",
    "a" * 300, "ab " * 300, "字" * 300, "\u0301" * 20 + "a", "a" + "\u0301" * 40, "\ufffd\ufffd", "\ue000\uf8ff", "\U0010ffff\U000e0001",
    "<|endoftext|>", "a<|startoftext|>b", "[CLS] [SEP] [MASK] [UNK]", "<s> </s> <unk> <pad> <mask>", " <mask> x", "▁already▁there", "▁",
    "##piece", "<0x41><0xE7>", "ǅ Ǆ ǆ", "ͅ ᾳ ᾼ", "ﷺ", "㎞ ㏒ ℡", "a\u0328\u0301 b\u0323\u0307", "x" * 1200, "1" * 150, "\u00a0nbsp\u3000ideographic",
    "mixed 中英 text 混合 テキスト", "e-mail: a.b@c.de!", "“quotes” ‘single’ «guillemets» —dash– …", "€£¥₹ ©®™ ±×÷", "\U0001d400\U0001d7d8",
    "ʼn ŉ ǰ ΐ", "Ⓐⓑ 🅰🅱 ᴬᵇ", "\u0345\u0399", "١٢٣٤ ४५ ๑๒", "ᾳ", "\u1e9b\u0323", "\u212b\u2126", "\u0f73\u0f75\u0f81",
]


def read_lines(paths):
    lines = []
    for path in map(pathlib.Path, paths):
        files = sorted([*path.rglob("*.txt"), *path.rglob("*.csv")]) if path.is_dir() else [path]
        for file in files:
            lines += file.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines


def random_texts(n, seed=7):
    """Any characters that are today what they were in Unicode 3.2, and mixtures of a few that matter. What was assigned or changed later is
    told differently by every library's age of tables: `tokenizers` alone has four."""
    rng = random.Random(seed)
    some = "aZ é\u0301\u0301▁#' <>[]字한ａ١0\t\u200d👍\u00ad.,!?_\u3000" + "sdtm"
    texts, assigned = [], [c for c in map(chr, range(0x20, 0x20000)) 
                        if unicodedata.category(c) == unicodedata.ucd_3_2_0.category(c) not in ("Cn", "Cs")]
    for i in range(n):
        if i % 2:
            texts.append("".join(rng.choice(some) for _ in range(rng.randrange(1, 40))))
        else:
            at = rng.randrange(0, len(assigned) - 600) if i % 4 else rng.randrange(0, 9000)
            texts.append("".join(rng.choice(assigned[at:at + 600]) for _ in range(rng.randrange(1, 30))))
    return texts


# ---- tokenizers of every kind ----

CLIP_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
GPT4_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PUNCTUATION = r"[!\"\#\$%\&'\(\)\*\+,\-\.:;=\?@\[\\\]\^_`\{\|\}\~]"


def like_clip(model):
    t = Tokenizer(model)
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CLIP_WORDS), "removed", invert=True),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    return t


def frame_clip(t):
    t.post_processor = processors.RobertaProcessing(("<|endoftext|>", t.token_to_id("<|endoftext|>")),
                                                    ("<|startoftext|>", t.token_to_id("<|startoftext|>")), trim_offsets=False,
                                                    add_prefix_space=False)
    return t


def clip(lines, vocab_size):
    t = like_clip(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>", continuing_subword_prefix=""))
    t.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=["<|startoftext|>", "<|endoftext|>"], end_of_word_suffix="</w>", show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return frame_clip(t)


def gpt2(lines, vocab_size):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=["<|endoftext|>"], show_progress=False,
                                                     initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def gpt4(lines, vocab_size):
    t = Tokenizer(models.BPE(ignore_merges=True))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(GPT4_WORDS), "isolated"),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False,
                                                     initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return t


def gemma(lines, vocab_size):
    """BPE on characters with byte fallback, blanks as ▁ (SigLIP 2)."""
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "▁")])
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    special = ["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{b:02X}>" for b in range(256)]
    t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=special, show_progress=False,
                                                     limit_alphabet=400))
    body = json.loads(t.to_str())
    body["added_tokens"] = [a for a in body["added_tokens"] if not a["content"].startswith("<0x")]
    body["post_processor"] = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}},
                                                                       {"SpecialToken": {"id": "<eos>", "type_id": 0}}],
                              "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
                              "special_tokens": {"<eos>": {"id": "<eos>", "ids": [1], "tokens": ["<eos>"]}}}
    return Tokenizer.from_str(json.dumps(body))


def bert_parts(t):
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cls, sep = t.token_to_id("[CLS]"), t.token_to_id("[SEP]")
    if cls is not None:
        t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                                         special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    return t


def bert(lines, vocab_size):
    t = bert_parts(Tokenizer(models.WordPiece(unk_token="[UNK]")))
    t.train_from_iterator(lines, trainers.WordPieceTrainer(
        vocab_size=vocab_size, show_progress=False, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    return bert_parts(t)


def bert_cased(lines, vocab_size):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    t.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Strip()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True),
                                               pre_tokenizers.Punctuation("merged_with_previous")])
    t.train_from_iterator(lines, trainers.WordPieceTrainer(vocab_size=vocab_size, show_progress=False,
                                                           special_tokens=["[UNK]", "[CLS]", "[SEP]"]))
    t.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return t


def xlmr(lines, vocab_size):
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    t.train_from_iterator(lines, trainers.UnigramTrainer(vocab_size=vocab_size, unk_token="<unk>", show_progress=False,
                                                         special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"]))
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return t


def siglip(lines, vocab_size):
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(Regex(PUNCTUATION), ""),
                                         normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    t.train_from_iterator(lines, trainers.UnigramTrainer(vocab_size=vocab_size, unk_token="<unk>", show_progress=False,
                                                         special_tokens=["<pad>", "</s>", "<unk>"]))
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return t


def wordlevel(lines, vocab_size):
    t = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    t.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Prepend("x")])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.CharDelimiterSplit(" "), pre_tokenizers.Digits(),
                                               pre_tokenizers.Split("-", "merged_with_next"), pre_tokenizers.Punctuation("contiguous")])
    t.train_from_iterator(lines, trainers.WordLevelTrainer(vocab_size=vocab_size, special_tokens=["[UNK]"], show_progress=False))
    return t


KINDS = {"clip": clip, "gpt2": gpt2, "gpt4": gpt4, "gemma": gemma, "bert": bert, "bert-cased": bert_cased, "xlmr": xlmr,
         "siglip": siglip, "wordlevel": wordlevel}


def package_file(package, *names):
    spec = importlib.util.find_spec(package)
    return pathlib.Path(spec.submodule_search_locations[0]).joinpath(*names) if spec else None


def real_clip():
    """CLIP's own vocabulary, from open_clip_torch."""
    path = package_file("open_clip", "bpe_simple_vocab_16e6.txt.gz")
    if not path:
        return None
    import gzip
    lines = gzip.open(path, "rt", encoding="utf-8").read().split("\n")[1:49152 - 256 - 2 + 1]
    merges = [tuple(line.split()) for line in lines]
    alphabet = [chr(c) for c in [*range(33, 127), *range(161, 173), *range(174, 256)]]    # as open_clip orders them
    alphabet += [chr(256 + i) for i in range(68)]
    pieces = alphabet + [c + "</w>" for c in alphabet] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    t = like_clip(models.BPE({p: i for i, p in enumerate(pieces)}, merges, unk_token="<|endoftext|>", end_of_word_suffix="</w>",
                             continuing_subword_prefix=""))
    t.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
    return frame_clip(t)


def real_chinese_clip():
    path = package_file("cn_clip", "clip", "vocab.txt")
    if not path:
        return None
    pieces = path.read_text(encoding="utf-8").split("\n")
    t = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces) if p}, unk_token="[UNK]"))
    t.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return bert_parts(t)


def from_sentencepiece(path):
    """As `transformers` turns XLM-R's model into a tokenizer.json: its own charsmap and scores."""
    from sentencepiece import sentencepiece_model_pb2 as pb
    m = pb.ModelProto()
    m.ParseFromString(pathlib.Path(path).read_bytes())
    unk = next(i for i, p in enumerate(m.pieces) if p.type == 2)
    t = Tokenizer(models.Unigram([(p.piece, p.score) for p in m.pieces], unk, False))
    t.normalizer = normalizers.Sequence([normalizers.Precompiled(m.normalizer_spec.precompiled_charsmap),
                                         normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    return t


# ---- comparing ----

def ours(program, path, texts, length):
    stdin = "".join(text.encode("utf-8", "surrogatepass").hex() + "\n" for text in texts)
    args = [program, path] + ([str(length)] if length else [])
    return subprocess.run(args, input=stdin, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def compare(program, name, t, texts, length):
    if length:
        t.enable_truncation(length)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(t.to_str())
        file.flush()
        got = ours(program, file.name, texts, length)
    wrong = []
    for text, line in zip(texts, got, strict=True):
        want = " ".join(map(str, t.encode(text).ids))
        if want != line:
            wrong.append((text, want, line))
    print(f"{name}: {t.get_vocab_size()} pieces, {len(texts) - len(wrong)} of {len(texts)} texts agree")
    for text, want, line in wrong[:5]:
        print(f"  {text[:80]!r}\n    tokenizers {want[:150]}\n    akin       {line[:150]}")
    return not wrong


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("program")
    parse.add_argument("tokenizers", nargs="*")
    parse.add_argument("--lines", action="append", default=[])
    parse.add_argument("--length", type=int, default=0)
    parse.add_argument("--most", type=int, default=20000, help="lines to compare, spread evenly")
    parse.add_argument("--random", type=int, default=4000, help="random texts to compare")
    parse.add_argument("--sentencepiece", help="a SentencePiece unigram model")
    parse.add_argument("--only")
    args = parse.parse_args()
    lines = [line for line in read_lines(args.lines) if line.strip()]
    lines = lines[::max(1, len(lines) // args.most)]
    texts = NASTY + random_texts(args.random) + lines
    training = [line for line in lines + NASTY * 3 if "\x00" not in line and len(line) < 300]
    if args.tokenizers:
        found = {path: Tokenizer.from_file(path) for path in args.tokenizers}
    else:
        found = {name: lambda make=make: make(training, 6000) for name, make in KINDS.items()}
        found |= {"CLIP": real_clip, "Chinese-CLIP": real_chinese_clip}
        if args.sentencepiece:
            found["SentencePiece"] = lambda: from_sentencepiece(args.sentencepiece)
    ok = True
    for name, t in found.items():
        if args.only and name != args.only:
            continue
        t = t() if callable(t) else t
        if t is None:
            print(f"{name}: not compared, its package is not installed")
        else:
            ok &= compare(args.program, name, t, texts, args.length)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
