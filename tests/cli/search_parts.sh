#!/usr/bin/env bash
# Queries of several parts: signs, weights, parts of pictures, feedback, groups, and how a word is told from a path.
. "$SRC/tests/cli/support.bash"
need_engine

mkdir -p pictures/birds pictures/fruit
cp "$stamps"/animals/birds/*.png pictures/birds
cp "$stamps"/food/fruit/*.png pictures/fruit
run 0 --quiet index pictures
owl=pictures/birds/owl.png
duck=pictures/birds/duck.png
id_of() { "$akin" info --json "$1" | sed -n 's/.*"id":\([0-9]*\).*/\1/p'; }

# Several examples, with and without signs; a picture of the query is no answer.
run 0 search --paths "$owl" "$duck"
cp out both
run 0 search --paths "$owl" + "$duck"
cmp -s out both || fail 'a plus sign changes nothing'
! grep -Eq '/(owl|duck).png' out || fail 'the query is its own answer'
run 0 search --paths "$owl^2" + "$duck^2"
cmp -s out both || fail 'only the ratio of weights matters'
run 0 search --paths "$owl^1000" "$duck^0.001"
run 0 search --paths "id:$(id_of "$owl")" "id:$(id_of "$duck")"
cmp -s out both || fail 'by id'

# What is not wanted takes away.
run 0 search --json --why -k 100 "$owl" - "$duck"
python3 -c '
import json
rows = [json.loads(line) for line in open("out")]
assert all(r["parts"][1]["evidence"] <= 0 for r in rows), rows
assert any(r["parts"][1]["evidence"] < 0 for r in rows), rows
sums = [sum(p["evidence"] for p in r["parts"]) for r in rows]
assert sums == sorted(sums, reverse=True) and rows[0]["parts"][0]["evidence"] > 1, rows
assert rows[0]["parts"][1]["part"].endswith("duck.png") and "labels" in rows[0], rows
' || fail 'minus parts'
# A lone - between two words is the sign, elsewhere standard input.
"$akin" search --paths - - "$duck" <"$owl" >out 2>err || fail "stdin less a picture: $(cat err)"
"$akin" search --paths "$duck" + - <"$owl" >out 2>err || fail "a picture and stdin: $(cat err)"
cmp -s <(sort out) <(sort both) || fail 'a picture and stdin'
"$akin" search "$duck" - >out 2>err <"$owl" || fail "the last word is standard input: $(cat err)"
"$akin" search - - >out 2>err <"$owl"
same $? 2 'standard input twice'
says err 'standard input can be read only once'

# Parts of pictures.
run 0 search --paths "$owl@0,0,187,199" --with-self -k 1
says out /owl.png
run 0 search --json "$owl@10%,10%,50%,50%^2" "$duck"
run 3 search "$owl@100,100,500,500"
says err 'does not lie within the picture, which has 187 x 199 pixels'
run 2 search "$owl@1,2,3%,4"
says err 'x,y,width,height'
run 2 search "$owl@1,2,0,4"
run 2 search 'some words@1,2,3,4'
says err 'only a picture has parts'

# A word that was meant to be a picture is never taken for a text.
run 3 search "$duck" nothing.jpg
says err 'there is no picture nothing.jpg'
run 3 search pictures/nothing
run 3 search "$owl^0.5x"
cp "$owl" 'at@1,1,1,1'
cp "$owl" 'hat^2'
run 0 search --with-self -k 1 'at@1,1,1,1'
says out /owl.png
run 0 search --with-self -k 1 'hat^2'
says out /owl.png
run 3 search file:nowhere
run 2 search text:

# Texts by their words, also mixed with pictures and in Chinese; a hint where a word is nearly there.
run 0 search --mode keyword owl --why
grep -q '^1 .*/owl.png' out || fail 'a file by its name'
says out 'keywords: owl'
run 0 search --mode keyword --json --why "$duck" + 'green apple' -k 30
python3 -c '
import json
rows = [json.loads(line) for line in open("out")]
assert any("apple" in r["keywords"] for r in rows) and all(r["parts"][1]["evidence"] >= 0 for r in rows), rows
' || fail 'a picture and words'
run 0 search --mode keyword birds - duck -k 100
! grep -q '/duck.png' out || [ "$(grep -n '/duck.png' out | cut -d: -f1)" -gt 1 ] || fail 'words that are not wanted'
run 1 search --mode keyword ostrichh
says err 'did you mean: ostrich'
run 1 search --mode keyword qqqzzzqqq
says err 'nothing in the library fits'

# Feedback.
run 0 search --paths "$owl" --like "$(id_of "$duck")" --unlike "id:$(id_of pictures/fruit/apple_red.png 2>/dev/null || id_of "$(ls pictures/fruit/*.png | head -n 1)")"
run 0 search --like "$owl" --paths
run 3 search --like 99999999
run 3 search --like nobody.png "$owl"
run 2 search
run 2 search --unlike 1

# Groups, order, hits that differ, words that are none.
run 0 search --group folder "$owl" -k 60
same "$(grep -c '^/.*pictures/' out)" 2 'folders'
run 0 search --group day --json "$owl"
says out '"group":"20'
run 0 search --sort taken --diverse 0.5 --why "$owl"
run 2 search --mode keywords "$owl"
says err 'did you mean keyword?'
run 2 search --sort size "$owl"
run 2 search --diverse 2 "$owl"
done_testing
