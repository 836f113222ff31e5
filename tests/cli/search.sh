#!/usr/bin/env bash
# Searching by path, bytes and id; every form of the answer.
. "$SRC/tests/cli/support.bash"
need_engine

mkdir -p pictures/birds pictures/fruit
cp "$stamps"/animals/birds/*.png pictures/birds
cp "$stamps"/food/fruit/*.png pictures/fruit
run 0 --quiet index pictures
picture=pictures/birds/owl.png

run 0 search "$picture"
same "$(wc -l <out)" 10 'hits'
grep -Eq "^ 1  [01]\.[0-9]{3}  $PWD/pictures/.*  \([0-9]+x[0-9]+\)$" out || fail 'form of a row'
! grep -q /owl.png out || fail 'the picture is its own answer'
run 0 search --with-self -k 1 "$picture"
says out /owl.png
grep -q '^1  1.000  ' out || fail 'the picture itself has score 1'

# The three ways to name a picture give the same answer.
run 0 search --paths "$picture"
cp out by_path
run 0 info --json "$picture"
id=$(sed -n 's/.*"id":\([0-9]*\).*/\1/p' out)
run 0 search --paths "id:$id"
cmp -s out by_path || fail 'by id'
"$akin" search --paths - <"$picture" >out 2>err || fail 'by standard input'
cmp -s out by_path || fail 'by standard input'
cp "$picture" unknown.png
run 0 search --exact --paths unknown.png
cmp -s out by_path || fail 'by a copy that the library does not know'
run 0 search -0 "$picture"
tr '\0' '\n' <out | cmp -s - by_path || fail 'NUL'

run 0 search --json -k 3 "$picture"
same "$(wc -l <out)" 3 'objects'
python3 -c '
import json
rows = [json.loads(line) for line in open("out")]
assert [r["rank"] for r in rows] == [1, 2, 3], rows
assert all(list(r) == ["rank", "score", "distance", "id", "path", "width", "height"] for r in rows), rows
assert rows[0]["score"] >= rows[1]["score"] and rows[0]["distance"] <= rows[1]["distance"], rows
' || fail 'JSON'

run 0 search --in pictures/fruit --paths "$picture"
! grep -v /fruit/ out || fail '--in'
run 1 search --in pictures/nothing "$picture"
says err 'nothing like it below pictures/nothing'
run 1 search --threshold 1 "$picture"
says err 'nothing like it'
run 0 search --timings "$picture"
says err 'together'
run 0 search --preview -k 1 "$picture"

run 3 search id:99999999
run 3 search no-such.png
same "$(wc -l <err)" 1 'lines of complaint'
printf 'no picture' >text.png
run 3 search text.png
run 3 search --allow-net http://127.0.0.1:9/cat.jpg

# Numbers are the same in a country with decimal commas.
LC_ALL=de_DE.UTF-8 "$akin" search -k 1 "$picture" 2>/dev/null | grep -q '0\.' || fail 'decimal comma'
# A pipe that closes early is no error message.
"$akin" list --paths 2>err | head -n 1 >out
same "$(cat err)" '' 'a closed pipe'
"$akin" search "$picture" >/dev/full 2>err
same $? 3 'a full disk'
done_testing
