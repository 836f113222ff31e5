#!/usr/bin/env bash
# Search by what a text means and by its words, with filters, in an older library, and when nothing fits.
. "$SRC/tests/cli/support.bash"
need_engine

mkdir -p pictures
cp "$stamps"/animals/birds/*.png "$stamps"/food/fruit/*.png "$stamps"/animals/mammals/cats/*.png pictures # no captions beside
run 0 --quiet index pictures

among() { head -n "$1" out | grep -Eq "$2" || fail "none of the first $1 is $2"; n_checks=$((n_checks + 1)); }

# Meaning: names of files say nothing in these languages.
run 0 search --mode meaning --paths --all 'a wild cat with stripes'
among 3 'tiger'
run 0 search --mode meaning --paths --all '老虎'
among 3 'tiger'
run 0 search --mode meaning --paths --all 'ein Tiger'
among 3 'tiger'
run 0 search --mode meaning --paths --all -k 5 '苹果'
among 5 'apple'

# Words: names of files; case, accents and plural do not count.
run 0 search --mode keyword --paths PENGUIN
among 3 'penguin'
run 0 search --mode keyword --json --why apples
says out '"keywords":['
run 1 search --mode keyword aple
says err 'did you mean: apple'
run 1 search --mode keyword zzzzz

# Nothing fits: said, with the way to see it anyway.
run 1 search --mode meaning 'trk lompud vex'
says err 'nothing fits: the nearest has a score of 0.'
[ ! -s out ] || fail 'hits that do not fit'
run 0 search --mode meaning --all -k 1 'trk lompud vex'
[ "$(wc -l <out)" = 1 ] || fail '--all shows the nearest'

# Together with a filter, a picture, a minus.
run 0 search --all --paths --filter 'name:*tiger*' cat
! grep -qv tiger out || fail 'the filter was passed over'
run 2 search --filter 'widht>3' cat
run 0 search --paths -- pictures/apple_red.png + banana - tiger
among 5 'banana'
! grep -q tiger out || fail 'what is not wanted was found'

# Any text is answered: blanks, bytes that are no UTF-8, a long one.
run 0 search --all $'\xff\xfe\x80'
run 0 search --all "$(printf 'zq%.0s ' {1..3000})"

# The texts' index is a cache: without it the answer is the same, and no picture is read.
run 0 search --mode meaning --json --all tiger
cp out before
rm -r test.akin/index
mv pictures elsewhere
run 0 search --mode meaning --json --all tiger
cmp -s out before || fail 'another answer without the index files'

done_testing
