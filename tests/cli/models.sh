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
[ "$("$AKIN" models list | grep -c tiny-)" = 6 ] || fail "six models were added"
"$AKIN" models info tiny-clip | grep -q 'a tower of its own, 16 tokens' || fail "the text tower is not told"
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

# Every mistake of a card at once, each with an example; a text tower that does not run is found.
mkdir "$scratch/clip"
cp "$SRC"/tests/data/models/tiny_clip.{picture.onnx,text.onnx,tokenizer.json} "$scratch/clip/"
change() { sed -e "$1" "$SRC/tests/data/models/tiny_clip.card.json" >"$scratch/clip/card.json"; }
change '/"licence"/d; /"width"/d; s/"length": 16/"length": "16"/; s/"name": "tiny-clip"/"name": "other-clip"/'
"$AKIN" models add "$scratch/clip" 2>"$scratch/words" && fail "a card with mistakes was added"
for words in '"licence" is missing; for example' '"input.width" is missing; for example "width": 224' '"text.length" must be' \
	'has 3 mistakes'; do
	grep -qF "$words" "$scratch/words" || fail "$words was not told: $(cat "$scratch/words")"
done
change 's/"dim": 24/"dim": 12/; s/"name": "tiny-clip"/"name": "other-clip"/'
"$AKIN" models add "$scratch/clip" 2>"$scratch/words" && fail "a model of another dimension was added"
change 's/"mask": "attention_mask",//; s/"name": "tiny-clip"/"name": "other-clip"/'
"$AKIN" models add "$scratch/clip" 2>"$scratch/words" && fail "a text tower without its mask was added"
grep -q 'text tower has 2 inputs, its card names 1' "$scratch/words" || fail "the words are: $(cat "$scratch/words")"
