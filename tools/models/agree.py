"""How well the C pipeline agrees with the reference one: cosine of the two embeddings of each picture.

    akin --library k.akin index FOLDER && akin --library k.akin export --npy c.npy --list c.txt
    python reference.py FOLDER ref.npy
    python agree.py ref.npy c.npy c.txt FOLDER
"""
import os
import sys

import numpy as np

ref_npy, got_npy, got_list, folder = sys.argv[1:5]
ref = np.load(ref_npy).astype(np.float64)
names = open(os.path.splitext(ref_npy)[0] + ".txt", encoding="utf-8").read().splitlines()
got = np.load(got_npy).astype(np.float64)
row = {path: i for i, path in enumerate(open(got_list, encoding="utf-8").read().splitlines())}
cosines = []
for name, a in zip(names, ref):
    path = os.path.join(os.path.abspath(folder), name)
    if path in row:
        b = got[row[path]]
        cosines.append((float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)), name))
cosines.sort()
values = np.array([c for c, _ in cosines])
print(f"{len(values)} of {len(names)} pictures: worst {values[0]:.5f} ({cosines[0][1]}), "
      f"1st percentile {np.percentile(values, 1):.5f}, median {np.median(values):.5f}")
