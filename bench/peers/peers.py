#!/usr/bin/env python3
"""bench/peers/peers.py - akin beside other libraries of vector search: one core, one thread, the same queries.

  peers.py truth SET l2|ip            exact neighbours of WORK/SET_{base,query}.npy, distances in float64
  peers.py run SET [CONFIG...]        measure (all configurations of the set when none is named); --repeat N: so many
                                      rounds, in each of which every configuration has its turn; --core N
  peers.py report SET [--svg FILE]    the measured table as Markdown, and recall against speed as a drawing
  peers.py threads SET [CONFIG...]    akin: build and batches with 1 and 2 threads

WORK is the variable AKIN_PEERS_WORK; it keeps built indexes (idx/) and what was measured (results/). AKIN_LIB is
libakin.so. Times are of the processor, so that other work on the machine is left out; each call goes through Python.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import gc
import glob
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np

import plot
from adapters import ADAPTERS, K

WORK = os.environ.get('AKIN_PEERS_WORK', os.path.expanduser('~/.cache/akin-peers'))
RECALLS = [.90, .95, .99, .999]
MOST_QUERIES = 2000


def configurations(name, n, dim):
    """{name: (adapter, options)}; lists about sqrt(n), codes of 4 bits for 4 components where the peer has a choice"""
    lists = {'fashion': 256, 'sift': 1024}.get(name, 512)
    found = {
        'akin-graph': ('akin', {}),
        'akin-graph-links16': ('akin', {'links': 16}),
        'akin-graph-effort200': ('akin', {'build_effort': 200}),
        'akin-ivf': ('akin', {'kind': 'ivf'}),
        'akin-auto': ('akin', {'kind': 'auto'}),
        'hnswlib-M16': ('hnswlib', {}),
        'faiss-HNSW16': ('faiss', {'spec': 'HNSW16'}),
        f'faiss-IVF{lists}-PQ{dim // 4}x4fs-RFlat': ('faiss', {'spec': f'IVF{lists},PQ{dim // 4}x4fs,RFlat'}),
        'svs-vamana32-f16': ('svs', {'codes': 'f16'}),
        'svs-vamana32-lvq8': ('svs', {'codes': 'lvq8'}),
        'svs-vamana32-lvq4x8': ('svs', {'codes': 'lvq4x8'}),
        'scann': ('scann', {}),
        'vsag-hgraph32-sq8-fp32': ('vsag', {}),
        'usearch-M16-i8': ('usearch', {'type': 'i8'}),
        'usearch-M16': ('usearch', {}),
        'voyager-M16': ('voyager', {}),
        'ngt-anng': ('ngt', {}),
    }
    if dim == 128:
        found[f'faiss-IVF{lists}-PQ64x4fs-RFlat'] = ('faiss', {'spec': f'IVF{lists},PQ64x4fs,RFlat'})
    if name in ('fashion', 'sift'):
        found['akin-graph-u8'] = ('akin', {'element': 'u8'})
    else:
        found[f'faiss-IVF{lists}-PQ{dim // 4}x4fs-RFlat-l2'] = ('faiss', {'spec': f'IVF{lists},PQ{dim // 4}x4fs,RFlat',
                                                                        'l2': True})
    return found


# ---- sets ----

def place(name, part):
    return f'{WORK}/data/{name}_{part}.npy'


def load_set(name):
    """base, queries, distances of the true neighbours (products for ip), metric"""
    base, queries = (np.ascontiguousarray(np.load(place(name, part)), np.float32) for part in ('base', 'query'))
    distances = np.load(place(name, 'gt_d'))
    metric = 'l2' if distances[0, 0] < distances[0, -1] else 'ip'
    return base, queries[:MOST_QUERIES], distances[:MOST_QUERIES], metric


def find_truth(name, metric):
    base, queries = (np.load(place(name, part)).astype(np.float32) for part in ('base', 'query'))
    if metric == 'ip':
        for rows in (base, queries):
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        np.save(place(name, 'base'), base)
        np.save(place(name, 'query'), queries)
    queries = queries[:MOST_QUERIES]
    norms = (base.astype(np.float64) ** 2).sum(1)
    ids, distances = np.empty((len(queries), 100), np.int32), np.empty((len(queries), 100))
    for first in range(0, len(queries), 100):
        some = queries[first:first + 100]
        rough = some @ base.T
        rough = rough * -2 + norms.astype(np.float32) if metric == 'l2' else -rough
        near = np.argpartition(rough, 200, axis=1)[:, :200]
        for i, query in enumerate(some.astype(np.float64)):
            rows = base[near[i]].astype(np.float64)
            exact = ((rows - query) ** 2).sum(1) if metric == 'l2' else -(rows @ query)
            order = np.argsort(exact, kind='stable')[:100]
            ids[first + i], distances[first + i] = near[i][order], exact[order]
    np.save(place(name, 'gt_i'), ids)
    np.save(place(name, 'gt_d'), distances if metric == 'l2' else -distances)


def recall(found, base, queries, distances, metric):
    """The share of found rows no farther than the k-th true one, so that ties are not punished; each row counts once."""
    good = 0
    for i, ids in enumerate(found):
        ids = np.unique(ids[(ids >= 0) & (ids < len(base))])
        rows, query = base[ids].astype(np.float64), queries[i].astype(np.float64)
        if metric == 'l2':
            good += int((((rows - query) ** 2).sum(1) <= distances[i, K - 1] * (1 + 1e-9) + 1e-9).sum())
        else:
            good += int((rows @ query >= distances[i, K - 1] - 1e-7).sum())
    return good / (K * len(found))


# ---- one configuration ----

def memory():
    """bytes of this process that lie in memory"""
    with open('/proc/self/statm') as statm:
        return int(statm.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def size_of(path):
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(at, f)) for at, _, files in os.walk(path) for f in files)


def as_ids(found):
    found = np.asarray(found)
    return np.where(found >= 2 ** 31, -1, found).astype(np.int64) if found.dtype.kind == 'u' else found.astype(np.int64)


def cpu_of(call):
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def measure(adapter, setting, queries, prepared):
    """One setting: queries one by one (ids, their CPU time and each one's), then all in a call"""
    adapter.set(setting)
    found = np.full((len(prepared), K), -1, np.int64)
    point = {'setting': setting, 'one': 1e30, 'many': None}
    each = np.empty(len(prepared))
    clock, one = time.process_time_ns, adapter.one
    for i, query in enumerate(prepared):
        start = clock()
        ids = one(query)
        each[i] = clock() - start
        ids = as_ids(ids)[:K]
        found[i, :len(ids)] = ids
    rounds = 1 if each.sum() > 1e9 else 3
    for _ in range(rounds):
        start = time.process_time()
        for query in prepared:
            one(query)
        point['one'] = min(point['one'], time.process_time() - start)
    point['one'] = len(prepared) / point['one']
    point['p50'], point['p99'] = (float(np.percentile(each, p)) / 1e3 for p in (50, 99))
    point['mean'] = float(each.mean()) / 1e3
    if adapter.many is not None:
        times = [cpu_of(lambda: adapter.many(queries)) for _ in range(rounds)]
        point['many'] = len(queries) / min(t for t, _ in times)
        point['many_found'] = as_ids(times[0][1])
    point['found'] = found
    return point


def run_one(name, config, repetition, core):
    os.sched_setaffinity(0, {core})
    base, queries, distances, metric = load_set(name)
    adapter_name, options = configurations(name, *base.shape)[config]
    path = f'{WORK}/idx/{name}-{config}'
    adapter = ADAPTERS[adapter_name](scratch=path + '.part', **options)
    facts = path + '.json'
    if not os.path.exists(facts):
        shutil.rmtree(path, ignore_errors=True)
        shutil.rmtree(path + '.part', ignore_errors=True)
        seconds, _ = cpu_of(lambda: adapter.build(base, metric))
        adapter.save(path)
        print(f'{name} {config}: built in {seconds:.1f} s', flush=True)
        with open(facts, 'w') as out:
            json.dump({'build': seconds, 'file': size_of(path), 'kind': getattr(adapter, 'kind', None)}, out)
        # Measured as everyone has it later: from its file, in a process that did not build.
        os.execv(sys.executable, [sys.executable] + sys.argv)
    with open(facts) as f:
        result = json.load(f)
    gc.collect()
    before, start = memory(), time.perf_counter()
    adapter.load(path, base, metric)
    adapter.set(adapter.settings[0])
    adapter.one(queries[0])
    result['load'] = time.perf_counter() - start
    queries = adapter.prepared(queries) if hasattr(adapter, 'prepared') else \
        adapter.stored(queries) if hasattr(adapter, 'stored') else queries
    prepared = list(queries)
    result['points'], best = [], 0
    original = load_set(name)[1]
    for setting in adapter.settings:
        point = measure(adapter, setting, queries, prepared)
        many = point.pop('many_found', None)
        found = point.pop('found')
        point['recall'] = recall(found, base, original, distances, metric)
        same = many is None or np.array_equal(many, found)
        point['many_recall'] = point['recall'] if same else recall(many, base, original, distances, metric)
        result['points'].append(point)
        print(f"{name} {config} {setting}: recall {point['recall']:.4f}  {point['one']:.0f}/s  in a batch "
              f"{point['many'] or 0:.0f}/s  p50 {point['p50']:.0f} mean {point['mean']:.0f} p99 {point['p99']:.0f} us",
              flush=True)
        result.setdefault('memory', 0)
        result['memory'] = max(result['memory'], memory() - before)
        if point['recall'] >= .9993:
            break
    result.update(set=name, config=config, adapter=adapter_name, n=len(base), dim=base.shape[1])
    with open(f'{WORK}/results/{name}-{config}-{repetition}.json', 'w') as out:
        json.dump(result, out, indent=1)


def run(args):
    base = np.load(place(args.set, 'base'), mmap_mode='r')
    configs = args.configs or list(configurations(args.set, *base.shape))
    quiet = dict(os.environ, **{f'{lib}_NUM_THREADS': '1' for lib in ('OMP', 'OPENBLAS', 'MKL')})
    for repetition in range(args.first, args.first + args.repeat):
        for config in configs:
            done = subprocess.run([sys.executable, os.path.abspath(__file__), 'one', args.set, config, '--first',
                                   str(repetition), '--core', str(args.core)], env=quiet)
            if done.returncode:
                print(f'{args.set} {config}: failed with {done.returncode}', flush=True)


# ---- threads ----

def threads(args):
    base, queries, _, metric = load_set(args.set)
    configs = configurations(args.set, *base.shape)
    print('| kind | threads | build, s | batch QPS |\n|---|---:|---:|---:|')
    for config in args.configs or ['akin-graph', 'akin-ivf']:
        for n in (1, 2):
            adapter = ADAPTERS['akin'](threads=n, **configs[config][1])
            start = time.perf_counter()
            adapter.build(base, metric)
            build = time.perf_counter() - start
            adapter.set(0)
            took = []
            for _ in range(5):
                start = time.perf_counter()
                adapter.many(adapter.stored(queries))
                took.append(time.perf_counter() - start)
            print(f'| {config} | {n} | {build:.1f} | {len(queries) / min(took):,.0f} |', flush=True)


# ---- the report ----

def at_recall(points, wanted, speed, recall_key):
    """Speed at a recall: on the front of the best points, its logarithm linear in that of 1 - recall"""
    front = []
    for p in sorted((p for p in points if p[speed]), key=lambda p: -p[speed]):
        if not front or p[recall_key] > front[-1][0]:
            front.append((p[recall_key], p[speed]))
    if not front or front[-1][0] < wanted:
        return None
    if front[0][0] >= wanted:
        return front[0][1]
    for (r0, s0), (r1, s1) in zip(front, front[1:]):
        if r0 <= wanted <= r1:
            x0, x1, x = (-np.log(max(1 - r, 1e-5)) for r in (r0, r1, wanted))
            share = (x - x0) / max(x1 - x0, 1e-9)
            return float(np.exp(np.log(s0) * (1 - share) + np.log(s1) * share))


def median_and_spread(values):
    values = sorted(v for v in values if v)
    if not values:
        return None, None
    middle = float(np.median(values))
    return middle, (values[-1] - values[0]) / 2 / middle if len(values) > 1 else None


def collect(name):
    runs = {}
    for path in sorted(glob.glob(f'{WORK}/results/{name}-*.json')):
        with open(path) as f:
            result = json.load(f)
        if result['set'] == name:
            runs.setdefault(result['config'], []).append(result)
    return runs


def machine():
    with open('/proc/cpuinfo') as f:
        model = next(line.split(':')[1].strip() for line in f if line.startswith('model name'))
    packages = {'hnswlib': 'hnswlib', 'faiss': 'faiss-cpu', 'usearch': 'usearch', 'voyager': 'voyager', 'scann': 'scann',
                'svs': 'scalable-vs', 'vsag': 'pyvsag', 'ngt': 'ngt'}
    return model, {a: f'{p} {importlib.metadata.version(p)}' for a, p in packages.items()}


def number(value):
    return '-' if not value else f'{float(f"{value:.3g}"):,.0f}'


def row_of(config, runs):
    """The table's cells, and what sorts it"""
    cells, key, spread = [], 0, None
    for wanted in RECALLS:
        one, off = median_and_spread([at_recall(r['points'], wanted, 'one', 'recall') for r in runs])
        many, _ = median_and_spread([at_recall(r['points'], wanted, 'many', 'many_recall') for r in runs])
        cells.append((one, many))
        if wanted == .95:
            key, spread = one or 0, off
    near = min((p for r in runs for p in r['points'] if p['recall'] >= .95), key=lambda p: p['recall'], default=None)
    return {'config': config, 'cells': cells, 'key': key, 'spread': spread, 'near': near, 'n': runs[0]['n'],
            'build': runs[0]['build'], 'file': runs[0]['file'],
            'memory': float(np.median([r['memory'] for r in runs])),
            'load': float(np.median([r['load'] for r in runs]))}


def report(args):
    runs = collect(args.set)
    rows = sorted((row_of(config, r) for config, r in runs.items()), key=lambda row: -row['key'])
    model, versions = machine()
    used = {r[0]['adapter'] for r in runs.values()}
    yard = next((row['key'] for row in rows if row['config'] == 'hnswlib-M16'), None)
    print(f"`peers.py report {args.set}`: {rows[0]['n']:,} x {next(iter(runs.values()))[0]['dim']}, {model}, one core, one "
          f"thread, AVX-512 for all that have it; {', '.join(v for a, v in sorted(versions.items()) if a in used)}.\n")
    print('| | QPS at .90 | .95 | .99 | .999 | at .95: hnswlib = 1 | spread | p50, mean, p99 us | build, CPU s | '
          'bytes a vector: file, memory | open, ms |')
    print('|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|')
    for row in rows:
        cells = [number(one) + (f' [{number(many)}]' if many else '') for one, many in row['cells']]
        near = row['near']
        ratio = f"{row['key'] / yard:.2f}" if yard else '-'
        spread = '-' if row['spread'] is None else f"{100 * row['spread']:.0f} %"
        print(f"| {row['config']} | {' | '.join(cells)} | {ratio} | {spread} | " + ('-' if not near else
              f"{near['p50']:.0f}, {near['mean']:.0f}, {near['p99']:.0f}") +
              f" | {row['build']:.3g} | {row['file'] / row['n']:,.0f}, {row['memory'] / row['n']:,.0f} | "
              f"{1e3 * row['load']:,.0f} |")
    if args.svg:
        curves = {config: sorted((p['recall'], p['one']) for p in r[len(r) // 2]['points']) for config, r in runs.items()}
        plot.draw(args.svg, f"{args.set}, {rows[0]['n']:,} x {next(iter(runs.values()))[0]['dim']}: queries one by one",
                  curves, [row['config'] for row in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=['truth', 'run', 'one', 'report', 'threads'])
    parser.add_argument('set')
    parser.add_argument('configs', nargs='*')
    parser.add_argument('--repeat', type=int, default=1)
    parser.add_argument('--first', type=int, default=1, help='number of the first round')
    parser.add_argument('--core', type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument('--svg')
    args = parser.parse_intermixed_args()
    for folder in ('idx', 'results', 'data'):
        os.makedirs(f'{WORK}/{folder}', exist_ok=True)
    if args.what == 'truth':
        find_truth(args.set, args.configs[0])
    elif args.what == 'one':
        run_one(args.set, args.configs[0], args.first, args.core)
    else:
        {'run': run, 'report': report, 'threads': threads}[args.what](args)


main()
