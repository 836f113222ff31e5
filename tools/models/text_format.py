"""Writes the file of a text encoder (docs/text-model.md): vocabulary, normaliser, table of embeddings, layers.

The same arguments give the same bytes.
"""
import struct

import numpy as np
import xxhash

MAGIC, VERSION, PAGE, PANEL, CODE_BITS, LEVELS, TABLE_SLACK = b"AKINTEXT", 1, 4096, 32, 10, 64, 8
ORDERS = ((2, 0), (3, 1), (5, 2))  # tokens a window sees, those of them before its own
SECTIONS = ("piece_at", "piece_id", "piece_score", "piece_text", "rule_units", "rule_text", "code_lengths", "code_range",
            "row_at", "row_bits", "weights", "floats")
LAYERS = tuple([f"{part}{n}" for n, _ in ORDERS for part in ("project", "first", "second")]
               + ["pool", "dense0", "dense1", "skip1", "dense2", "dense3", "skip3"])


def code_lengths(counts):
    """Lengths of the best prefix code of at most CODE_BITS bits (package merge), complete, of at least two symbols."""
    counts = np.array(counts, dtype=np.int64)
    used = [int(s) for s in np.flatnonzero(counts)]
    for symbol in range(len(counts)):  # a complete code has two symbols
        if len(used) < 2 and symbol not in used:
            used.append(symbol)
    leaves = sorted((int(counts[s]), (s,)) for s in used)
    packages = list(leaves)
    for _ in range(CODE_BITS - 1):
        pairs = [(a[0] + b[0], a[1] + b[1]) for a, b in zip(packages[0::2], packages[1::2])]
        packages = sorted(leaves + pairs)
    lengths = np.zeros(len(counts), dtype=np.uint8)
    for _, symbols in packages[:2 * len(used) - 2]:
        for s in symbols:
            lengths[s] += 1
    return lengths


def canonical(lengths):
    """The code of each symbol: shorter codes first, equal lengths in order of symbols."""
    codes, code, last = np.zeros(len(lengths), dtype=np.uint32), 0, 0
    for length, symbol in sorted((int(n), s) for s, n in enumerate(lengths) if n):
        code <<= length - last
        codes[symbol], last = code, length
        code += 1
    return codes


def pack_rows(rows, lengths):
    """Each row of symbols as bits, first bit highest, filled up to bytes: (bytes, bytes in each row)."""
    codes = canonical(lengths)
    n_bits = lengths[rows].astype(np.int64)
    row_bytes = (n_bits.sum(axis=1) + 7) // 8
    starts = np.zeros(len(rows), dtype=np.int64)
    np.cumsum(row_bytes[:-1] * 8, out=starts[1:])
    first = starts[:, None] + np.cumsum(n_bits, axis=1) - n_bits
    bits = np.zeros(int(row_bytes.sum()) * 8, dtype=np.uint8)
    for k in range(CODE_BITS):
        here = n_bits > k
        shift = (n_bits[here] - 1 - k).astype(np.uint32)
        bits[first[here] + k] = (codes[rows[here]] >> shift) & 1
    return np.packbits(bits).tobytes(), row_bytes


def pack_table(table, n_groups):
    """Row i of levels 0..63 belongs to group i % n_groups, and each group has its own code."""
    lengths, row_bytes, packed = [], np.zeros(len(table), dtype=np.int64), [None] * len(table)
    for g in range(n_groups):
        rows = table[g::n_groups]
        lengths.append(code_lengths(np.bincount(rows.ravel(), minlength=LEVELS)))
        data, sizes = pack_rows(rows, lengths[g])
        row_bytes[g::n_groups] = sizes
        ends = np.cumsum(sizes)
        for i, end in enumerate(ends):
            packed[g + i * n_groups] = data[int(end - sizes[i]):int(end)]
    at = np.zeros(len(table) + 1, dtype="<u4")
    at[1:] = np.cumsum(row_bytes)
    return np.stack(lengths), at, b"".join(packed) + bytes(TABLE_SLACK)


def pack_layer(weights):
    """inputs x outputs int8, as panels of PANEL outputs."""
    inputs, outputs = weights.shape
    assert weights.dtype == np.int8 and outputs % PANEL == 0
    return np.ascontiguousarray(weights.reshape(inputs, outputs // PANEL, PANEL).transpose(1, 0, 2)).tobytes()


def write(path, pieces, scores, unknown, start, end, charsmap, table, ranges, layers, floats, eps):
    """pieces: bytes, in order of ids. ranges: (step, lowest) of each group of the table. layers: name -> (int8, scale).
    floats: the vectors that layers need, in the order that docs/text-model.md gives, after the layers' scales."""
    order = sorted(range(len(pieces)), key=lambda i: pieces[i])
    piece_at = np.zeros(len(pieces) + 1, dtype="<u4")
    piece_at[1:] = np.cumsum([len(pieces[i]) for i in order])
    lengths, row_at, row_bits = pack_table(table, len(ranges))
    units = struct.unpack("<I", charsmap[:4])[0] if charsmap else 0
    scales = np.array([layers[name][1] for name in LAYERS], dtype="<f4")
    data = {
        "piece_at": piece_at.tobytes(),
        "piece_id": np.array(order, dtype="<u4").tobytes(),
        "piece_score": np.array([scores[i] for i in order], dtype="<f4").tobytes(),
        "piece_text": b"".join(pieces[i] for i in order),
        "rule_units": charsmap[4:4 + units],
        "rule_text": charsmap[4 + units:],
        "code_lengths": lengths.tobytes(),
        "code_range": np.array(ranges, dtype="<f4").tobytes(),
        "row_at": row_at.tobytes(),
        "row_bits": row_bits,
        "weights": b"".join(pack_layer(layers[name][0]) for name in LAYERS),
        "floats": scales.tobytes() + b"".join(np.asarray(f, dtype="<f4").tobytes() for f in floats),
    }
    body, places = bytearray(), []
    for name in SECTIONS:
        body += bytes(-len(body) % PAGE)
        places.append((PAGE + len(body), len(data[name])))
        body += data[name]
    body += bytes(-len(body) % PAGE)
    conv = layers["first2"][0].shape[1]
    head = struct.pack("<8sIIQ8If", MAGIC, VERSION, len(SECTIONS), PAGE + len(body), len(pieces), unknown, start, end,
                       len(ranges), table.shape[1], conv, layers["dense0"][0].shape[1], eps)
    head += struct.pack("<I", layers["pool"][0].shape[1])
    for at, size in places:
        head += struct.pack("<QQ", at, size)
    head += struct.pack("<Q", xxhash.xxh3_64_intdigest(bytes(body)))
    head += bytes(PAGE - 8 - len(head))
    head += struct.pack("<Q", xxhash.xxh3_64_intdigest(head))
    with open(path, "wb") as f:
        f.write(head)
        f.write(body)
    return {name: size for name, (_, size) in zip(SECTIONS, places)}
