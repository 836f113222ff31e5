#!/usr/bin/env bash
# What is in a library and its upkeep: list, info, remove, check, rebuild, export, import, models.
. "$SRC/tests/cli/support.bash"
need_engine

mkdir pictures
for picture in owl crow pelican seagull; do cp "$stamps/animals/birds/$picture.png" pictures; done
cp "$stamps/food/fruit/"*.png pictures 2>/dev/null
run 0 --quiet index pictures
n=$(find pictures -name '*.png' | wc -l)

run 0 list
same "$(wc -l <out)" "$n" 'rows'
run 0 list --in pictures --paths
sort -c out || fail 'list is not sorted'
run 1 list --failed
run 0 info
says out "pictures   $n"
run 0 info --json
says out "\"pictures\":$n"
run 0 info pictures/owl.png
says out labels
run 1 info pictures/none.png
run 1 info id:99999999

run 0 remove pictures/owl.png
is err 'akin: 1 entry removed'
[ -f pictures/owl.png ] || fail 'remove touched the file'
run 1 remove pictures/owl.png
run 0 info --json pictures/crow.png
run 0 remove "id:$(sed -n 's/.*"id":\([0-9]*\).*/\1/p' out)"
run 1 info pictures/crow.png
run 0 check
is err 'akin: the library is sound'
run 0 rebuild
run 0 check --deep
run 0 search -k 1 pictures/pelican.png

run 0 export --npy vectors.npy --list list.csv
same "$(head -c 6 vectors.npy | tail -c 5)" NUMPY 'magic of .npy'
head -n 1 list.csv | grep -q '^id,path,width,height' || fail 'header of the CSV'
run 0 export --list list.txt
same "$(wc -l <list.txt)" "$((n - 2))" 'lines of the list'
run 0 search --paths -k 3 pictures/pelican.png
cp out native

# Vectors that come back from outside answer the same.
run 0 -l foreign.akin -m elsewhere import --npy vectors.npy --list list.csv
id=$("$akin" -l foreign.akin info --json "$PWD/pictures/pelican.png" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
run 0 -l foreign.akin search --paths -k 3 "id:$id"
cmp -s out native || fail 'answers of imported vectors'
run 3 -l foreign.akin -m elsewhere import --npy list.txt --list list.txt
run 3 export --npy /no/such/folder/x.npy

run 0 models
name=$(sed -n 's/^[* ] \([^ ]*\).*/\1/p' out | head -n 1)
run 0 models --json
says out '"licence":"'
run 0 models info "$name"
run 0 models verify "$name"
run 1 models info none
run 3 models verify none
run 3 models add none.json
done_testing
