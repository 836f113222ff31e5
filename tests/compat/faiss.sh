#!/usr/bin/env bash
# faiss.sh [AKIN] - compare akin's Faiss files with the faiss-cpu package, both directions. Not part of the tests: it fetches the
# package into a folder of its own (VENV, kept when given). The golden files of tests/data/vectors stand for it there.
set -euo pipefail
cd "$(dirname "$0")/../.."
akin=$(realpath "${1:-build/akin}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
venv=${VENV:-$scratch/venv}
if [ ! -x "$venv/bin/python" ]; then
	python3 -m venv "$venv"
fi
"$venv/bin/python" -c 'import faiss' 2>/dev/null || "$venv/bin/pip" install -q --disable-pip-version-check faiss-cpu h5py
mkdir "$scratch/files"
exec "$venv/bin/python" tools/compat_faiss.py check "$akin" "$scratch/files"
