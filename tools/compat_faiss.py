#!/usr/bin/env python3
"""compat_faiss.py - akin's files of vectors and those of Faiss and h5py: make the golden files, compare both directions.

  compat_faiss.py make DIR          write tests/data/vectors anew (needs faiss-cpu, h5py)
  compat_faiss.py check AKIN DIR    Faiss reads what akin writes and answers the same; akin reads what Faiss writes

SPDX-License-Identifier: Apache-2.0"""
import os
import subprocess
import sys

import faiss
import numpy as np


def vectors():
    """Small multiples of a quarter: every distance is exact in float32, whoever sums it."""
    rng = np.random.default_rng(4)
    floats = rng.integers(-20, 20, size=(40, 6)).astype("float32") / 4
    return floats, rng.integers(0, 256, size=(20, 4)).astype("uint8")


def write_vecs(path, rows, dtype):
    with open(path, "wb") as out:
        for row in rows:
            np.array([len(row)], dtype="<i4").tofile(out)
            row.astype(dtype).tofile(out)


def write_hdf5(path, floats, distance, libver=None, **layout):
    import h5py
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["distance"] = distance
        file.create_dataset("train", data=floats, **layout)
        file.create_dataset("test", data=floats[:20], **layout)
        file.create_dataset("neighbors", data=np.arange(200, dtype="int32").reshape(20, 10))


def make(folder):
    floats, packed = vectors()
    at = lambda name: os.path.join(folder, name)
    np.save(at("floats.npy"), floats)
    np.save(at("bytes.npy"), packed)
    write_vecs(at("floats.fvecs"), floats, "<f4")
    write_vecs(at("bytes.bvecs"), packed, "u1")
    write_vecs(at("ids.ivecs"), np.arange(12).reshape(4, 3), "<i4")
    for name, index in indexes(floats):
        faiss.write_index(index, at(name + ".faiss"))
    binary = faiss.IndexBinaryFlat(32)
    binary.add(packed)
    faiss.write_index_binary(binary, at("binary_flat.faiss"))
    write_hdf5(at("plain.hdf5"), floats, "euclidean")
    write_hdf5(at("gzip.hdf5"), floats, "angular", chunks=(16, 4), compression="gzip", shuffle=True, fletcher32=True)
    write_hdf5(at("new.hdf5"), floats.astype(">f8"), "ip", libver=("v108", "v108"))
    write_hdf5(at("bool.hdf5"), np.unpackbits(packed, axis=1, bitorder="little").astype(bool), "hamming")


def indexes(floats):
    dim = floats.shape[1]
    flat, product = faiss.IndexFlatL2(dim), faiss.IndexFlatIP(dim)
    lists = faiss.IndexIVFFlat(faiss.IndexFlatL2(dim), dim, 4, faiss.METRIC_L2)
    graph = faiss.IndexHNSWFlat(dim, 4)
    lists.train(floats)
    lists.add_with_ids(floats, np.arange(len(floats)) * 3 + 100)
    for index in (flat, product, graph):
        index.add(floats)
    return [("flat_l2", flat), ("flat_ip", product), ("ivf_flat", lists), ("hnsw_flat", graph)]


def run(akin, *words):
    subprocess.run([akin, "vectors", *words, "--quiet"], check=True)


def compare(akin, folder, name, ids, file, metric, k):
    """Ids of both on the same vectors; where distances tie either may come first, so the distances decide."""
    out = os.path.join(folder, "answers.npy")
    run(akin, "search", file, os.path.join(folder, "query.npy"), "--exact", "-k", str(k), "--metric", metric, "--distances", out)
    got, want = np.load(out), ids
    if not np.allclose(got, want, rtol=1e-5, atol=1e-4):
        sys.exit(f"{name}: distances differ by {np.abs(got - want).max()}")
    print(f"{name}: {len(got)} queries agree")


def recall(got, want):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(got, want)])


def structured(akin, at, base, query):
    """Lists and links that akin made find as many neighbours as those that Faiss makes, with the same effort."""
    for metric in ("l2", "ip", "cosine"):
        seen = base / np.linalg.norm(base, axis=1, keepdims=True) if metric == "cosine" else base
        measure = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
        exact = (faiss.IndexFlatL2 if metric == "l2" else faiss.IndexFlatIP)(base.shape[1])
        exact.add(seen)
        truth = exact.search(query, 10)[1]
        run(akin, "build", at("base.npy"), "-o", at("base.akx"), "--metric", metric)
        run(akin, "convert", at("base.akx"), at("lists.faiss"), "--format", "faiss-ivf", "--lists", "64")
        ours, theirs = faiss.read_index(at("lists.faiss")), faiss.IndexIVFFlat(faiss.IndexFlatL2(48), 48, 64, measure)
        theirs.train(seen)
        theirs.add(seen)
        same_bytes(ours, at, "lists.faiss")
        ours.nprobe = theirs.nprobe = 16
        report(f"IVFFlat {metric}", recall(ours.search(query, 10)[1], truth), recall(theirs.search(query, 10)[1], truth))
        run(akin, "check", at("lists.faiss"))
        run(akin, "convert", at("base.akx"), at("graph.faiss"), "--format", "faiss-hnsw")
        ours, theirs = faiss.read_index(at("graph.faiss")), faiss.IndexHNSWFlat(48, 16, measure)
        theirs.add(seen)
        same_bytes(ours, at, "graph.faiss")
        ours.hnsw.efSearch = theirs.hnsw.efSearch = 64
        report(f"HNSWFlat {metric}", recall(ours.search(query, 10)[1], truth), recall(theirs.search(query, 10)[1], truth))


def same_bytes(index, at, name):
    faiss.write_index(index, at("again.faiss"))
    if open(at("again.faiss"), "rb").read() != open(at(name), "rb").read():
        sys.exit(f"{name}: Faiss writes other bytes than it read")


def report(name, ours, theirs):
    print(f"Faiss searches akin's {name}: recall@10 {ours:.3f}, its own {theirs:.3f}")
    if ours < theirs - 0.05:
        sys.exit(f"{name}: akin's structure finds less")


def check(akin, folder):
    rng = np.random.default_rng(7)
    base, query = rng.standard_normal((5000, 48), dtype="float32"), rng.standard_normal((100, 48), dtype="float32")
    at = lambda name: os.path.join(folder, name)
    np.save(at("base.npy"), base)
    np.save(at("query.npy"), query)
    for name, index in indexes(base):
        metric = "ip" if name == "flat_ip" else "l2"
        exact = faiss.IndexFlatIP(48) if metric == "ip" else faiss.IndexFlatL2(48)
        exact.add(base)
        distances = exact.search(query, 10)[0] * (-1 if metric == "ip" else 1)
        # Faiss writes, akin reads.
        faiss.write_index(index, at(name + ".faiss"))
        compare(akin, folder, f"akin reads {name}", distances, at(name + ".faiss"), metric, 10)
        # akin writes, Faiss reads.
        if name.startswith("flat"):
            run(akin, "convert", at("base.npy"), at("written.faiss"), "--metric", metric)
            read = faiss.read_index(at("written.faiss"))
            assert read.ntotal == 5000 and type(read) is type(index), read
            assert np.array_equal(read.search(query, 10)[1], index.search(query, 10)[1])
            faiss.write_index(read, at("again.faiss"))
            assert open(at("again.faiss"), "rb").read() == open(at("written.faiss"), "rb").read()
            print(f"Faiss reads {name}: same answers, same bytes")
    structured(akin, at, base, query)
    packed = rng.integers(0, 256, size=(3000, 32)).astype("uint8")
    binary = faiss.IndexBinaryFlat(256)
    binary.add(packed)
    np.save(at("query.npy"), packed[:50])
    faiss.write_index_binary(binary, at("binary.faiss"))
    compare(akin, folder, "akin reads binary_flat", binary.search(packed[:50], 10)[0], at("binary.faiss"), "hamming", 10)
    run(akin, "convert", at("binary.faiss"), at("written.faiss"))
    assert open(at("binary.faiss"), "rb").read() == open(at("written.faiss"), "rb").read()
    print("Faiss reads binary_flat: same bytes")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "make":
        make(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "check":
        check(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)
