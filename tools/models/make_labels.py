# SPDX-License-Identifier: Apache-2.0
"""Write labels.tsv: ImageNet's 1,000 classes with English and Chinese names and broader words.

    python make_labels.py OUT.tsv

labels/classes.tsv has a row a class: index, WordNet id, names (everyday one first, `|` between synonyms).
labels/broader.tsv has a row a category: the classes it covers and its words. A class takes the words of every category
that covers it, narrow ones first (categories that cover fewer classes), less those that already are its names.
"""
import argparse
import pathlib

LABELS = pathlib.Path(__file__).resolve().parent / "labels"
HEADER = ["index", "wnid", "en", "zh", "en_broader", "zh_broader"]


def rows(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    names = lines[0].split("\t")
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(names):
            raise ValueError(f"{path.name}:{number}: {len(cells)} cells, not {len(names)}")
        yield dict(zip(names, cells))


def covered(ranges):
    """The classes of '7-8 13', both ends included."""
    classes = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        classes.update(range(int(first), int(last or first) + 1))
    return classes


def broader(index, names, categories, language):
    taken, words = {name.lower() for name in names}, []
    for classes, category in categories:
        for word in category[language].split("|") if index in classes else []:
            if word.lower() not in taken:
                taken.add(word.lower())
                words.append(word)
    return words


def labels_tsv():
    categories = [(covered(row["classes"]), row) for row in rows(LABELS / "broader.tsv")]
    categories.sort(key=lambda category: len(category[0]))
    out = ["\t".join(HEADER)]
    for expected, row in enumerate(rows(LABELS / "classes.tsv")):
        if int(row["index"]) != expected:
            raise ValueError(f"classes.tsv: class {row['index']} where {expected} should be")
        cells = [row["index"], row["wnid"], row["en"], row["zh"]]
        cells += ["|".join(broader(expected, row[lang].split("|"), categories, lang)) for lang in ("en", "zh")]
        out.append("\t".join(cells))
    return "\n".join(out) + "\n"


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("out", type=pathlib.Path)
    parse.parse_args().out.write_text(labels_tsv(), encoding="utf-8")


if __name__ == "__main__":
    main()
