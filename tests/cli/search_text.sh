#!/usr/bin/env bash
# Searching by sentence in several languages, alone and mixed with pictures; what fits nothing; captions as a test.
. "$SRC/tests/cli/support.bash"
need_engine

mkdir -p pictures
for folder in animals/birds food/fruit vehicles/auto; do
	cp $(find "$stamps/$folder" -maxdepth 1 -name '*.png' -o -name '*car*.svg') pictures # without the words beside them
done
run 0 --quiet index pictures
same "$(ls "$AKIN_LIBRARY"/index/*.akx | wc -l)" 2 'index files: of pictures, of texts'

# By meaning alone, the first answers are what was asked, in four languages.
found() {
	local want=$1 text=$2
	run 0 search --all --mode meaning --paths -k 5 "$text"
	grep -Eiq "$want" out || fail "$text: no $want among the first five"
}
found 'apple' 'a red apple'
found 'apple' '一个苹果'
found 'car' 'a fast car'
found 'car' 'ein Auto'
found 'pineapple' 'パイナップル'
run 0 search --all --paths -k 1 a red apple
cp out one
run 0 search --all --paths -k 1 'a red apple'
cmp -s out one || fail 'words beside one another are one text'

# What fits nothing finds nothing.
nothing=0
while IFS= read -r text; do
	"$akin" search -- "text:$text" >out 2>err </dev/null
	case $? in 0) ;; 1) nothing=$((nothing + 1)) ;; *) fail "$text: $(cat err)" ;; esac
done < <(head -n 50 "$SRC/tests/data/text/absent.txt")
[ "$nothing" -ge 40 ] || fail "$nothing of 50 texts of nonsense found nothing"
run 1 search 'xqz vvkp'
says err 'nothing in the library fits; --all shows the nearest'
run 0 search --all 'xqz vvkp'

# Mixtures.
apple=$(ls pictures/apple_red*.png pictures/apple*.png 2>/dev/null | head -n 1)
run 0 search --json --why "$apple" + 'a green fruit' - 'a bird'
python3 -c '
import json
rows = [json.loads(line) for line in open("out")]
assert len(rows) == 10 and all(len(r["parts"]) == 3 for r in rows), rows
assert all(r["parts"][2]["evidence"] <= 0 for r in rows), rows
' || fail 'a mixture'

# The index of texts is a cache like the other.
run 0 search --all --mode meaning --paths 'a yellow fruit'
cp out before
rm "$AKIN_LIBRARY"/index/*
run 0 search --all --mode meaning --paths 'a yellow fruit'
cmp -s out before || fail 'without index files'
run 0 rebuild
run 0 search --all --mode meaning --paths 'a yellow fruit'
cmp -s out before || fail 'rebuilt'
run 0 check --deep

# Captions as queries.
{ echo path,caption; for f in pictures/*.png; do n=${f##*/}; echo "$f,a picture of ${n%.png}"; done; } >captions.csv
run 0 --library "$AKIN_LIBRARY" eval --json captions.csv
python3 -c '
import json
m = json.load(open("out"))
assert m["recall"]["10"] > 0.5 and m["recall"]["1"] <= m["recall"]["10"] <= m["recall"]["100"] <= 1, m
assert m["median_rank"] < 20 and abs(m["mrr"] - m["map"]) < 1e-6 and m["queries"] > 50 and "classes" not in m, m
assert len(m["reliability"]) == 10, m
' || fail 'measures of captions'
run 0 --library "$AKIN_LIBRARY" eval --mode keyword captions.csv
says out 'median rank'

# A model without texts beside it still finds words.
mkdir -p models
cp -r "$AKIN_MODELS"/efficientnet-lite1-int8 models
run 0 --models models search --paths owl
says out /owl.png
run 3 --models models search --mode meaning owl
says err 'has no texts beside it'
done_testing
