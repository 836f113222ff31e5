# SPDX-License-Identifier: Apache-2.0
"""Train the alignment of a picture model and the text encoder, and write models/akin-text-1 (docs/text-alignment.md).

    make bench
    python train_text.py DATA ../../build/bin/bench_text_encoder ../../models [--cache DIR] [--dev] [--only-head N]

DATA holds flickr8k_train, flickr8k_val (labels.csv and captions_zh_human.csv: path,caption) and classnames. Seeds are
fixed; one thread; some minutes. --cache keeps what the two models said of pictures and texts. --dev leaves 1,000 training
pictures out and measures on those instead of flickr8k_val: that is where every number below was chosen.
"""
import argparse
import os
import pathlib
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import jax
import jax.numpy as jnp
import numpy as np
import optax

import text_space
from text_space import ROOT_LABELS, ROOT_TEXT

HEADS, WIDTH, HIDDEN = 3, 160, 384      # several small heads make fewer mistakes in common than one large
STEPS, BATCH, RATE = 350, 1000, 1.5e-3
DROP_PICTURE, DROP_TEXT, NOISE, DECAY = 0.45, 0.2, 0.25, 0.05
SOFT, SOFT_TEMPERATURE = 0.15, 0.08     # share of the target given to pictures whose captions mean nearly the same
CHINESE, MACHINE = 0.5, 0.3             # Chinese captions for each English one, and how many of them by machine
WINDOWS = 0.5                           # how often a picture is seen through a window of its map
PICTURE_MODEL, TEXT_MODEL = "efficientnet-lite1-int8", "use-multilingual-v3"



def normal(x):
    return x / jnp.sqrt((x * x).sum(-1, keepdims=True) + 1e-6)


def see_text(p, t, drop=None):
    hidden = jax.nn.gelu(t @ p["in"] + p["in_bias"])
    if drop is not None:
        hidden = hidden * jax.random.bernoulli(drop, 1 - DROP_TEXT, hidden.shape) / (1 - DROP_TEXT)
    return normal(hidden @ p["out"] + t @ p["straight"])


def see_picture(p, x):
    return normal(x @ p["picture"] + p["picture_bias"])


def loss_of(p, t, x, own, soft, key):
    """Contrastive both ways; `own` is the row of x that each text describes."""
    k1, k2, k3 = jax.random.split(key, 3)
    x = x * jax.random.bernoulli(k1, 1 - DROP_PICTURE, x.shape) / (1 - DROP_PICTURE)
    t = t + NOISE * jax.random.normal(k3, t.shape)
    scores = jnp.exp(p["sharpness"]) * (see_text(p, t, k2) @ see_picture(p, x).T)
    right = jax.nn.one_hot(own, x.shape[0])
    target = (1 - SOFT) * right + SOFT * soft
    to_picture = -(target * jax.nn.log_softmax(scores, 1)).sum(1).mean()
    return to_picture - (right * jax.nn.log_softmax(scores, 0)).sum() / right.sum()


class Batches:
    """Pictures in random order, each with an English caption and some with a Chinese one too."""

    def __init__(self, space, seed):
        self.s, self.rng, self.queue = space, np.random.default_rng(seed), np.array([], int)

    def caption(self, kind, picture):
        rows = self.s.of_picture[kind][picture]
        return self.s.text_input(self.s.captions[kind][0][rows[self.rng.integers(len(rows))]])

    def next(self):
        s, rng = self.s, self.rng
        if len(self.queue) < BATCH:
            self.queue = rng.permutation(s.train)
        batch, self.queue = self.queue[:BATCH], self.queue[BATCH:]
        x = s.picture_input(s.unit[batch], s.probability[batch])
        some = np.flatnonzero(rng.random(BATCH) < WINDOWS)
        view = s.windows[rng.integers(0, len(s.windows), len(some)), batch[some]].astype(np.float32)
        x[some] = s.picture_input(text_space.l2(view), s.probability[batch[some]])
        texts = [self.caption("en", i) for i in batch]
        also = rng.choice(BATCH, int(BATCH * CHINESE), replace=False)
        texts += [self.caption("zh_machine" if rng.random() < MACHINE else "zh_human", batch[j]) for j in also]
        own = np.concatenate([np.arange(BATCH), also])
        near = s.meaning[batch[own]] @ s.meaning[batch].T / SOFT_TEMPERATURE
        near[np.arange(len(own)), own] = -1e9
        return np.stack(texts), x, own, text_space.softmax(near)


def train_head(space, seed):
    rng, key = np.random.default_rng(100 + seed), jax.random.PRNGKey(seed)
    n_text, n_picture = 512, space.picture_input(space.unit[:1], space.probability[:1]).shape[1]

    def random(a, b):
        return jnp.array(rng.normal(0, 1 / np.sqrt(a), (a, b)), jnp.float32)
    p = {"in": random(n_text, HIDDEN), "in_bias": jnp.zeros(HIDDEN), "out": random(HIDDEN, WIDTH),
         "straight": random(n_text, WIDTH), "picture": random(n_picture, WIDTH), "picture_bias": jnp.zeros(WIDTH),
         "sharpness": jnp.float32(np.log(20))}
    optimiser = optax.adamw(optax.warmup_cosine_decay_schedule(0, RATE, STEPS // 10, STEPS, RATE / 100), b2=0.98,
                            weight_decay=DECAY)

    @jax.jit
    def step(p, state, *batch):
        loss, gradient = jax.value_and_grad(loss_of)(p, *batch)
        change, state = optimiser.update(gradient, state, p)
        return optax.apply_updates(p, change), state, loss
    state, batches, start = optimiser.init(p), Batches(space, seed), time.time()
    for i in range(STEPS):
        step_key, key = jax.random.split(key)
        p, state, loss = step(p, state, *batches.next(), step_key)
        if i % 50 == 49:
            print(f"head {seed} step {i + 1} loss {float(loss):.3f} {time.time() - start:.0f} s", flush=True)
    return {name: np.asarray(value) for name, value in p.items()}


def head(space, seed, cache, dev):
    path = cache / f"head{'_dev' if dev else ''}_{seed}.npz"
    if not path.exists():
        np.savez(path, **train_head(space, seed))
    return dict(np.load(path))


def fold(space, heads):
    """All heads as the matrices of the file: inputs are the plain unit embedding's roots and the plain unit text vector."""
    mean, scale, text_mean = space.picture_mean, space.picture_scale, space.text_mean
    n = space.unit.shape[1]
    m = {}
    m["picture_roots"] = np.concatenate([h["picture"][:n].T / scale for h in heads])
    m["picture_labels"] = np.concatenate([h["picture"][n:].T * ROOT_LABELS for h in heads])
    m["picture_bias"] = np.concatenate([h["picture_bias"] - mean / scale @ h["picture"][:n] for h in heads])
    m["text_in"] = np.concatenate([h["in"].T * ROOT_TEXT for h in heads])
    m["hidden_bias"] = np.concatenate([h["in_bias"] - ROOT_TEXT * text_mean @ h["in"] for h in heads])
    m["text_out"] = np.zeros((HEADS * WIDTH, HEADS * HIDDEN))
    for k, h in enumerate(heads):
        m["text_out"][k * WIDTH:(k + 1) * WIDTH, k * HIDDEN:(k + 1) * HIDDEN] = h["out"].T
    m["text_straight"] = np.concatenate([h["straight"].T * ROOT_TEXT for h in heads])
    m["text_bias"] = np.concatenate([-ROOT_TEXT * text_mean @ h["straight"] for h in heads])
    return m


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("encoder")
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("cache"))
    parser.add_argument("--dev", action="store_true")
    parser.add_argument("--only-head", type=int)
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    space = text_space.Space(args.data, args.encoder, args.models, args.cache, args.dev)
    if args.only_head is not None:
        head(space, args.only_head, args.cache, args.dev)
        return
    import text_export
    text_export.finish(space, fold(space, [head(space, k, args.cache, args.dev) for k in range(HEADS)]), HEADS, args)


if __name__ == "__main__":
    main()
