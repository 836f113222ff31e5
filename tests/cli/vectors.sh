#!/usr/bin/env bash
# akin vectors: build, search, add, remove, info, check, convert, bench, on the golden files of tests/data/vectors.
. "$SRC/tests/cli/support.bash"
data=$SRC/tests/data/vectors

# A plain file is searched exactly; vectors are their own nearest.
run 0 vectors search "$data/floats.npy" "$data/floats.npy" -k 3 --limit 2
is out '0:  0 (0)  2 (31.625)  10 (62.1875)
1:  1 (0)  6 (25.6875)  14 (29.375)'
says err 'akin: 2 queries in '
cp out plain
for file in floats.fvecs flat_l2.faiss hnsw_flat.faiss plain.hdf5; do
	run 0 -q vectors search "$data/$file" "$data/floats.npy" -k 3 --limit 2
	cmp -s out plain || fail "answers from $file"
done
run 0 -q vectors search "$data/ivf_flat.faiss" "$data/floats.npy" -k 2 --limit 1
is out '0:  100 (0)  106 (31.625)'
run 0 -q vectors search "$data/floats.npy" "$data/floats.npy" -k 2 --limit 1 --json
is out '{"query":0,"ids":[0,2],"distances":[0.0,31.625]}'
run 0 -q vectors search "$data/gzip.hdf5" "$data/gzip.hdf5" -k 1 --limit 1
says out '0:  0 ('
run 0 -q vectors search "$data/binary_flat.faiss" "$data/bool.hdf5" -k 1 --limit 1
is out '0:  0 (0)'
run 0 -q vectors search "$data/bytes.npy" "$data/bytes.npy" --metric hamming -k 1 --limit 1
is out '0:  0 (0)'
run 0 -q vectors search "$data/floats.npy" "$data/floats.npy" -k 4 --ids ids.npy --distances far.npy
is out ''
run 0 vectors info ids.npy
says out 'vectors  40 of 4 dimensions'

# An index has the same answers, and grows and shrinks.
run 0 vectors build "$data/floats.npy" -o base.akx
says err 'akin: base.akx: 40 vectors of 6 dimensions, flat, l2, f32'
run 0 -q vectors search base.akx "$data/floats.fvecs" -k 3 --limit 2
cmp -s out plain || fail 'answers from an index'
run 0 -q vectors search base.akx "$data/floats.fvecs" -k 3 --limit 2 --recall 0.9
cmp -s out plain || fail 'answers from an index with --recall'
run 0 vectors add base.akx "$data/floats.npy"
says err '80 vectors'
run 0 -q vectors search base.akx "$data/floats.npy" -k 2 --limit 1
is out '0:  0 (0)  40 (0)'
run 0 vectors remove base.akx 0 2 4711
is err 'akin: 2 of 3 vectors removed'
run 1 vectors remove base.akx 4711
run 0 -q vectors remove base.akx --with-ids "$data/ids.ivecs"
run 0 vectors info base.akx --json
says out '"kind":"flat","metric":"l2","type":"f32","vectors":68,"dim":6'
run 3 vectors add base.akx "$data/ivf_flat.faiss" --with-ids "$data/ids.ivecs"
says err 'ids.ivecs: 12 ids for the 40 vectors of'
run 0 -q vectors add base.akx "$data/ivf_flat.faiss"
run 0 vectors add base.akx "$data/ivf_flat.faiss" --update
says err '108 vectors'
run 3 vectors add base.akx "$data/ivf_flat.faiss"
says err 'id 1'
run 0 vectors check base.akx
says err 'base.akx is sound'
printf 'x' | dd of=base.akx bs=1 seek=900 conv=notrunc status=none
run 3 vectors check base.akx
says err 'base.akx: '
for kind in graph ivf lsh; do
	run 0 -q vectors build "$data/floats.npy" -o kind.akx --kind $kind
	run 0 vectors info kind.akx
	says out "kind     $kind"
	run 0 -q vectors search kind.akx "$data/floats.npy" -k 3 --limit 2 --exact
	cmp -s out plain || fail "exact answers of $kind"
	run 0 vectors check kind.akx
done

# Conversions keep every bit.
for to in out.fvecs out.faiss out.npy; do
	run 0 -q vectors convert "$data/floats.npy" $to
	run 0 -q vectors convert $to back.npy
	cmp -s back.npy "$data/floats.npy" || cmp -s $to "$data/floats.npy" || fail "there and back over $to"
done
cmp -s out.fvecs "$data/floats.fvecs" || fail 'out.fvecs'
cmp -s out.faiss "$data/flat_l2.faiss" || fail 'out.faiss'
run 0 -q vectors convert "$data/floats.npy" ip.index --metric ip
cmp -s ip.index "$data/flat_ip.faiss" || fail 'ip.index'
run 0 -q vectors build "$data/floats.npy" -o again.akx
run 0 -q vectors convert again.akx out.fvecs
cmp -s out.fvecs "$data/floats.fvecs" || fail 'an index as .fvecs'
run 0 -q vectors convert "$data/plain.hdf5" truth.npy --part truth --type f32
run 0 vectors info truth.npy
says out 'vectors  20 of 10 dimensions'

# Faiss indexes with lists and links hold the same vectors.
for format in faiss-ivf faiss-hnsw; do
	run 0 -q vectors convert "$data/floats.npy" structured.faiss --format $format
	run 0 -q vectors check structured.faiss
	run 0 -q vectors search structured.faiss "$data/floats.npy" -k 3 --limit 2
	cmp -s out plain || fail "answers from $format"
done
run 0 vectors info structured.faiss
says out 'format   faiss IndexHNSWFlat'
run 3 vectors convert "$data/bytes.npy" structured.faiss --format faiss-ivf
says err 'Faiss has floats in such an index, not u8'

# The bench: truth from a file or computed; as a table, as JSON, as a picture.
run 0 vectors bench "$data/floats.npy" "$data/floats.npy" --svg plot.svg
says out 'recall@10'
grep -q '^ *exact *1\.0000' out || fail 'recall of the exact answers'
grep -q '<svg' plot.svg && grep -q '</svg>' plot.svg || fail plot.svg
run 0 vectors bench "$data/floats.npy" "$data/floats.npy" -k 4 --truth ids.npy --json
says out '"recall":1.0'
run 3 vectors bench "$data/floats.npy" "$data/floats.npy" --truth ids.npy
says err 'ids.npy: 40 rows of 4 neighbours, wanted are 40 of 10'

run 0 vectors bench "$data/floats.npy" "$data/floats.npy" --kind graph --json
says out '"kind":"graph"'

# Mistakes are named.
run 2 vectors serch a b
says err "did you mean 'search'?"
run 2 vectors build "$data/floats.npy"
says err '-o FILE'
run 2 vectors build "$data/floats.npy" -o x --metric cos
says err "--metric must be one of l2, ip, cosine, hamming, not 'cos'"
run 2 vectors search "$data/floats.npy" "$data/floats.npy" --exact --recall 0.9
run 3 vectors search "$data/floats.npy" "$data/bytes.npy"
says err 'bytes.npy: vectors of 4 dimensions, but the index has 6'
run 3 vectors search /no/such.npy "$data/bytes.npy"
says err '/no/such.npy'
run 3 vectors info "$SRC/LICENSE"
says err 'LICENSE: this is no file of vectors'
run 3 vectors build "$data/floats.npy" -o x.akx --type u8
says err 'floats.npy: '
[ ! -e x.akx ] || fail 'a failed build left a file'
run 3 vectors build "$data/floats.npy" -o x.akx --kind binary
says err 'creating an index of kind binary'
run 3 vectors convert "$data/floats.npy" out.bvecs
says err 'writing out.bvecs: .bvecs holds u8 only'
run 3 vectors convert "$data/floats.npy" out.xyz
says err "'xyz' is no format that is written"
head -c 700 "$data/flat_l2.faiss" >cut.faiss
run 3 vectors info cut.faiss
says err 'cut.faiss: the Faiss index ends inside its vectors'
done_testing
