# SPDX-License-Identifier: Apache-2.0
"""Read the weights of a PyTorch .pth file (the format before 1.6) into numpy, without PyTorch.

The file is five pickles (magic, protocol, system, the dictionary, the keys of the storages) and then the storages:
a count as int64 and the raw numbers. The unpickler below knows the four names that such a file needs and refuses
every other one, so a weights file cannot run code.
"""
import collections
import pickle

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {"FloatStorage": np.float32, "LongStorage": np.int64}


class _Tensor:
    def __init__(self, storage, offset, shape, stride):
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride


def _rebuild(storage, offset, shape, stride, *_):
    return _Tensor(storage, offset, shape, stride)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"a weights file has no business with {module}.{name}")

    def persistent_load(self, saved):
        _, dtype, key, _, count = saved[:5]
        return (np.dtype(dtype), key, count)


def load(path):
    """Return {name: numpy array}."""
    with open(path, "rb") as file:
        if _Unpickler(file).load() != MAGIC:
            raise ValueError(f"{path}: not a .pth file of the format before PyTorch 1.6")
        for _ in range(2):
            _Unpickler(file).load()
        tensors = _Unpickler(file).load()
        keys = _Unpickler(file).load()
        dtypes = {t.storage[1]: t.storage[0] for t in tensors.values()}
        storages = {}
        for key in keys:
            count = int(np.fromfile(file, np.int64, 1)[0])
            storages[key] = np.fromfile(file, dtypes[key], count)
    out = {}
    for name, t in tensors.items():
        data = storages[t.storage[1]]
        strides = [s * data.itemsize for s in t.stride]
        out[name] = np.lib.stride_tricks.as_strided(data[t.offset:], t.shape, strides).copy()
    return out
