"""bench/peers/adapters.py - akin and its peers behind one face, each with one thread.

An adapter has build(base, metric), save(path), load(path, base, metric), set(setting), one(query) -> ids and, where the
library answers several queries in a call, many(queries) -> ids. `metric` is 'l2' or 'ip' (of unit vectors).
SPDX-License-Identifier: Apache-2.0
"""
import ctypes
import json
import os

import numpy as np

K = 10
POOLS = [10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 400, 800]


class Adapter:
    settings = POOLS
    many = None

    def __init__(self, **options):
        self.options = options

    def option(self, name, default):
        return self.options.get(name, default)

    def set(self, setting):
        self.setting = setting


# ---- akin, through include/akin/index.h ----

class Spec(ctypes.Structure):
    _fields_ = [('kind', ctypes.c_int), ('metric', ctypes.c_int), ('element', ctypes.c_int), ('dim', ctypes.c_size_t),
                ('seed', ctypes.c_uint64), ('links', ctypes.c_size_t), ('build_effort', ctypes.c_size_t),
                ('lists', ctypes.c_uint32), ('code_width', ctypes.c_uint32), ('rerank', ctypes.c_uint32),
                ('tables', ctypes.c_uint32), ('hash_bits', ctypes.c_uint32), ('hash_width', ctypes.c_float),
                ('room', ctypes.c_uint64 * 16)]  # for members of a newer header


class Ask(ctypes.Structure):
    _fields_ = [('k', ctypes.c_size_t), ('effort', ctypes.c_size_t), ('exact', ctypes.c_int),
                ('filter', ctypes.c_void_p), ('bounded', ctypes.c_int), ('max_distance', ctypes.c_float),
                ('threads', ctypes.c_uint), ('room', ctypes.c_uint64 * 16)]


class Stats(ctypes.Structure):
    _fields_ = [('kind', ctypes.c_int), ('room', ctypes.c_uint64 * 31)]


HIT = np.dtype([('id', np.int64), ('distance', np.float32)], align=True)
KINDS = ['auto', 'flat', 'graph', 'ivf', 'binary', 'lsh']


class Akin(Adapter):
    """kind, element, links, build_effort, lists, code_width, rerank: as in akin_index_spec. AKIN_LIB: libakin.so"""
    elements = {'f32': 1, 'f16': 2, 'i8': 3, 'u8': 4}

    def __init__(self, **options):
        super().__init__(**options)
        lib = self.lib = ctypes.CDLL(os.environ['AKIN_LIB'])
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        lib.akin_index_create.argtypes = [pointer, pointer, pointer]
        lib.akin_index_add.argtypes = [pointer, pointer, pointer, size, ctypes.c_uint, pointer]
        lib.akin_index_search.argtypes = [pointer] * 6
        lib.akin_index_search_many.argtypes = [pointer, pointer, size, pointer, pointer, pointer, pointer]
        lib.akin_index_save.argtypes = [pointer, ctypes.c_char_p, pointer]
        lib.akin_index_open.argtypes = [pointer, ctypes.c_char_p, pointer]
        lib.akin_index_get_stats.argtypes = [pointer, pointer]
        self.threads = self.option('threads', 1)
        self.hits, self.n_hits = np.zeros(K, HIT), ctypes.c_size_t()
        self.hits_at, self.n_hits_at = self.hits.ctypes.data, ctypes.addressof(self.n_hits)
        self.ids = self.hits['id']
        self.handle = ctypes.c_void_p()
        self.error = ctypes.create_string_buffer(4096)

    def check(self, status):
        if status:
            raise RuntimeError(f'akin: status {status} {self.error.raw[:300]!r}')

    def stored(self, rows):
        types = {'i8': np.int8, 'u8': np.uint8}
        return np.ascontiguousarray(rows, types.get(self.option('element', 'f32'), np.float32))

    def build(self, base, metric):
        spec = Spec(kind=KINDS.index(self.option('kind', 'graph')), metric=1 if metric == 'l2' else 3,
                    element=self.elements[self.option('element', 'f32')], dim=base.shape[1], seed=1)
        for name in ('links', 'build_effort', 'lists', 'code_width', 'rerank'):
            setattr(spec, name, self.option(name, 0))
        rows = self.stored(base)
        self.check(self.lib.akin_index_create(ctypes.byref(self.handle), ctypes.byref(spec), self.error))
        self.check(self.lib.akin_index_add(self.handle, None, rows.ctypes.data, len(rows), self.threads, self.error))
        self.opened()

    def opened(self):
        stats = Stats()
        self.lib.akin_index_get_stats(self.handle, ctypes.byref(stats))
        self.kind = KINDS[stats.kind]
        lists = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
        self.settings = {'flat': [0], 'ivf': lists}.get(self.kind, POOLS)

    def set(self, setting):
        self.ask = Ask(k=K, effort=setting, threads=self.threads)
        self.ask_at = ctypes.addressof(self.ask)

    def one(self, query):
        self.lib.akin_index_search(self.handle, query.ctypes.data, self.ask_at, self.hits_at, self.n_hits_at, None)
        return self.ids

    def many(self, queries):
        hits, n_hits = np.zeros((len(queries), K), HIT), np.zeros(len(queries), np.uint64)
        self.check(self.lib.akin_index_search_many(self.handle, queries.ctypes.data, len(queries), self.ask_at,
                                                   hits.ctypes.data, n_hits.ctypes.data, self.error))
        return hits['id']

    def save(self, path):
        self.check(self.lib.akin_index_save(self.handle, path.encode(), self.error))

    def load(self, path, base, metric):
        self.check(self.lib.akin_index_open(ctypes.byref(self.handle), path.encode(), self.error))
        self.opened()


# ---- peers, as their documentation has them ----

class Hnswlib(Adapter):
    """M, ef (of the build)"""

    def make(self, dim, metric):
        import hnswlib
        self.index = hnswlib.Index(space=metric, dim=dim)

    def build(self, base, metric):
        self.make(base.shape[1], metric)
        self.index.init_index(max_elements=len(base), M=self.option('M', 16), ef_construction=self.option('ef', 200))
        self.index.add_items(base, num_threads=1)

    def set(self, setting):
        self.index.set_ef(setting)

    def one(self, query):
        return self.index.knn_query(query, k=K, num_threads=1)[0][0]

    def many(self, queries):
        return self.index.knn_query(queries, k=K, num_threads=1)[0]

    def save(self, path):
        self.index.save_index(path)

    def load(self, path, base, metric):
        self.make(base.shape[1], metric)
        self.index.load_index(path)


class Faiss(Adapter):
    """spec: for index_factory; ef (of a graph's build); l2: by L2, which orders unit vectors alike"""
    refined = [(2, 4), (4, 4), (6, 4), (6, 8), (8, 8), (12, 8), (16, 8), (16, 16), (24, 16), (32, 16), (48, 16), (64, 16),
               (64, 32), (128, 32), (256, 32)]

    def build(self, base, metric):
        import faiss
        faiss.omp_set_num_threads(1)
        ip = metric == 'ip' and not self.option('l2', False)
        self.index = faiss.index_factory(base.shape[1], self.options['spec'],
                                         faiss.METRIC_INNER_PRODUCT if ip else faiss.METRIC_L2)
        self.opened()
        if self.graph:
            self.graph.efConstruction = self.option('ef', 200)
        self.index.train(base[::max(1, len(base) // 200000)])
        self.index.add(base)

    def opened(self):
        import faiss
        self.faiss, self.owner = faiss, self.index  # a downcast index does not own what it names
        self.index = faiss.downcast_index(self.index)
        self.refine = self.index if isinstance(self.index, faiss.IndexRefine) else None
        self.inner = faiss.downcast_index(self.refine.base_index) if self.refine else self.index
        self.graph = getattr(self.inner, 'hnsw', None)
        self.settings = POOLS if self.graph else self.refined if self.refine else [0]

    def set(self, setting):
        if self.graph:
            self.graph.efSearch = setting
        elif self.refine:
            self.inner.nprobe, self.refine.k_factor = setting

    def one(self, query):
        return self.index.search(query[None], K)[1][0]

    def many(self, queries):
        return self.index.search(queries, K)[1]

    def save(self, path):
        self.faiss.write_index(self.index, path)

    def load(self, path, base, metric):
        import faiss
        faiss.omp_set_num_threads(1)
        self.index = faiss.read_index(path)
        self.opened()


class Usearch(Adapter):
    """M, ef, type: f32, f16, i8 (values scaled into it)"""

    def make(self, base, metric):
        from usearch.index import Index
        self.type = self.option('type', 'f32')
        self.low, self.step = float(base.min()), float(base.max() - base.min()) / 254
        self.index = Index(ndim=base.shape[1], metric='l2sq' if metric == 'l2' else 'ip', dtype=self.type,
                           connectivity=self.option('M', 16), expansion_add=self.option('ef', 200),
                           enable_key_lookups=False)

    def prepared(self, rows):
        if self.type != 'i8':
            return rows
        return np.clip(np.rint((rows - self.low) / self.step - 127), -127, 127).astype(np.int8)

    def build(self, base, metric):
        self.make(base, metric)
        self.index.add(np.arange(len(base), dtype=np.uint64), self.prepared(base), threads=1)

    def set(self, setting):
        self.index.expansion_search = setting

    def one(self, query):
        return self.index.search(query, K, threads=1).keys

    def many(self, queries):
        return self.index.search(queries, K, threads=1).keys

    def save(self, path):
        self.index.save(path)

    def load(self, path, base, metric):
        self.make(base, metric)
        self.index.load(path)


class Voyager(Adapter):
    """M, ef"""

    def build(self, base, metric):
        import voyager
        space = voyager.Space.Euclidean if metric == 'l2' else voyager.Space.InnerProduct
        self.index = voyager.Index(space, base.shape[1], M=self.option('M', 16), max_elements=len(base),
                                   ef_construction=self.option('ef', 200))
        self.index.add_items(base, num_threads=1)

    def one(self, query):
        return self.index.query(query, K, query_ef=self.setting)[0]

    def many(self, queries):
        return self.index.query(queries, K, num_threads=1, query_ef=self.setting)[0]

    def save(self, path):
        self.index.save(path)

    def load(self, path, base, metric):
        import voyager
        self.index = voyager.Index.load(path)


class Svs(Adapter):
    """degree, window, codes: lvq8, lvq4x8, lvq4x4 (which refuse to work on processors not of Intel), f16 or '' for f32"""
    bits = {'lvq8': (8, 0), 'lvq4x8': (4, 8), 'lvq4x4': (4, 4)}

    def compressed(self):
        return self.option('codes', '') in self.bits

    def distance(self, metric):
        import svs
        self.svs = svs
        return svs.DistanceType.L2 if metric == 'l2' else svs.DistanceType.MIP

    def build(self, base, metric):
        distance = self.distance(metric)
        svs = self.svs
        how = svs.VamanaBuildParameters(alpha=1.2 if metric == 'l2' else .95, graph_max_degree=self.option('degree', 32),
                                        window_size=self.option('window', 200))
        data = base.astype(np.float16) if self.option('codes', '') == 'f16' else base
        if self.compressed():
            rows = np.empty((len(base), base.shape[1] + 1), np.float32)
            rows[:, 0] = np.array([base.shape[1]], np.int32).view(np.float32)[0]
            rows[:, 1:] = base
            file = self.options['scratch'] + '.fvecs'
            rows.tofile(file)
            loader = svs.VectorDataLoader(file, svs.DataType.float32, dims=base.shape[1])
            primary, residual = self.bits[self.options['codes']]
            data = svs.LVQLoader(loader, primary=primary, residual=residual, padding=32)
        self.index = svs.Vamana.build(how, data, distance, num_threads=1)
        if self.compressed():
            os.unlink(file)

    def set(self, setting):
        self.index.num_threads = 1
        self.index.search_window_size = setting

    def one(self, query):
        return self.index.search(query, K)[0][0]

    def many(self, queries):
        return self.index.search(queries, K)[0]

    def save(self, path):
        os.makedirs(path, exist_ok=True)
        self.index.save(path + '/config', path + '/graph', path + '/data')

    def load(self, path, base, metric):
        distance = self.distance(metric)
        svs = self.svs
        type = svs.DataType.float16 if self.option('codes', '') == 'f16' else svs.DataType.float32
        data = svs.LVQLoader(path + '/data', padding=32) if self.compressed() else \
            svs.VectorDataLoader(path + '/data', type)
        self.index = svs.Vamana(path + '/config', svs.GraphLoader(path + '/graph'), data, distance, num_threads=1)


class Scann(Adapter):
    """leaves; 2 dimensions a block, reordered by float32"""
    settings = [(3, 30), (4, 30), (6, 40), (8, 40), (12, 40), (16, 60), (24, 60), (32, 80), (48, 100), (64, 120), (100, 150),
                (150, 200), (200, 300), (300, 500)]

    def build(self, base, metric):
        import scann
        ip = metric == 'ip'
        builder = scann.scann_ops_pybind.builder(base, K, 'dot_product' if ip else 'squared_l2')
        builder = builder.set_n_training_threads(1).tree(
            num_leaves=self.option('leaves', int(2 * len(base) ** .5)), num_leaves_to_search=10,
            training_sample_size=min(len(base), 200000))
        builder = builder.score_ah(2, anisotropic_quantization_threshold=.2) if ip else builder.score_ah(2)
        self.index = builder.reorder(100).build()

    def one(self, query):
        return self.index.search(query, K, self.setting[1], self.setting[0])[0]

    def many(self, queries):
        return self.index.search_batched(queries, K, self.setting[1], self.setting[0])[0]

    def save(self, path):
        os.makedirs(path, exist_ok=True)
        self.index.serialize(path)

    def load(self, path, base, metric):
        import scann
        self.index = scann.scann_ops_pybind.load_searcher(path)


class Vsag(Adapter):
    """hgraph with 8-bit codes and float32 to reorder: degree, ef"""

    def make(self, dim, metric):
        import pyvsag
        graph = {'base_quantization_type': 'sq8_uniform' if metric == 'l2' else 'sq8', 'use_reorder': True,
                 'precise_quantization_type': 'fp32', 'max_degree': self.option('degree', 32),
                 'ef_construction': self.option('ef', 200), 'build_thread_count': 1}
        if self.option('codes', ''):
            graph['base_quantization_type'] = self.options['codes']
        self.index = pyvsag.Index('hgraph', json.dumps({'dtype': 'float32', 'metric_type': metric, 'dim': dim,
                                                        'index_param': graph}))

    def build(self, base, metric):
        self.make(base.shape[1], metric)
        self.index.build(vectors=base.reshape(-1), ids=np.arange(len(base), dtype=np.int64), num_elements=len(base),
                         dim=base.shape[1])

    def set(self, setting):
        self.parameters = json.dumps({'hgraph': {'ef_search': setting}})

    def one(self, query):
        found = self.index.knn_search(vector=query, k=K, parameters=self.parameters)
        return found[0] if found[0].dtype.kind in 'iu' else found[1]

    def save(self, path):
        self.index.save(path)

    def load(self, path, base, metric):
        self.make(base.shape[1], metric)
        self.index.load(path)


class Ngt(Adapter):
    """NGT's own graph of float32"""
    settings = [0, .02, .04, .06, .08, .1, .12, .15, .2, .3]

    def build(self, base, metric):
        import ngtpy
        self.path = self.options['scratch']
        ngtpy.create(self.path, base.shape[1], distance_type='L2' if metric == 'l2' else 'Cosine')
        self.index = ngtpy.Index(self.path)
        self.index.batch_insert(base, num_threads=1)

    def one(self, query):
        return np.asarray(self.index.search(query, size=K, epsilon=self.setting, with_distance=False), np.int64)

    def save(self, path):
        self.index.save()
        self.index.close()
        os.rename(self.path, path)
        self.load(path, None, None)

    def load(self, path, base, metric):
        import ngtpy
        self.index = ngtpy.Index(path, read_only=True)


ADAPTERS = {'akin': Akin, 'hnswlib': Hnswlib, 'faiss': Faiss, 'usearch': Usearch, 'voyager': Voyager, 'svs': Svs,
            'scann': Scann, 'vsag': Vsag, 'ngt': Ngt}
