#!/usr/bin/env bash
# Models: added by their card in every format, verified, used; a damaged one is refused by name.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch XDG_DATA_HOME=$scratch/data XDG_CACHE_HOME=$scratch/cache NO_COLOR=1
unset AKIN_MODELS AKIN_MODEL AKIN_LIBRARY
pictures=/usr/share/tuxpaint/stamps/food/fruit
fail() { echo "models.sh: $*" >&2; exit 1; }

for card in "$SRC"/tests/data/models/*.card.json; do
	"$AKIN" models add "$card" 2>/dev/null || fail "$card was not added"
done
[ "$("$AKIN" models list | grep -c tiny-)" = 5 ] || fail "five models were added"
"$AKIN" models verify | grep -qx 'tiny-saved-model: sound' || fail "an added model is not sound"
"$AKIN" -q --model tiny-tflite --library "$scratch/t.akin" index "$pictures"
"$AKIN" --library "$scratch/t.akin" info | grep -q 'tiny-tflite, 16 dimensions' || fail "the library forgot its model"
# The same weights in another format rank alike.
"$AKIN" -q --model tiny-onnx --library "$scratch/o.akin" index "$pictures"
first() { "$AKIN" --library "$1" search --paths -k 5 "$pictures/mango.png"; }
[ "$(first "$scratch/t.akin")" = "$(first "$scratch/o.akin")" ] || fail "two formats of one network rank differently"

printf x >>"$scratch/data/akin/models/tiny-onnx/tiny.onnx"
"$AKIN" models verify tiny-onnx 2>"$scratch/words" && fail "a changed file was not noticed"
grep -q 'tiny.onnx has SHA-256' "$scratch/words" || fail "the words do not name the file: $(cat "$scratch/words")"
