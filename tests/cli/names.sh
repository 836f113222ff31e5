#!/usr/bin/env bash
# File names are bytes: newlines, invalid UTF-8, quotes, leading dashes, escape sequences, wide characters.
. "$SRC/tests/cli/support.bash"
need_engine

mkdir pictures
i=0
names=($'new\nline.png' $'bad\xff\xfe.png' '-k.png' $'\e[31mred.png' "it's \"quoted\".png" '照片 é.png' ' blank .png' '%s%n.png')
for name in "${names[@]}"; do
	picture=$(find "$stamps"/animals/fish "$stamps"/animals/insects -name '*.png' | sort | sed -n "$((i + 1))p")
	cp "$picture" "pictures/$name"
	i=$((i + 1))
done
run 0 --quiet index pictures

# Every name comes back byte by byte.
run 0 list -0
(cd pictures && printf '%s\0' "${names[@]}" | sort -z) >want
tr '\0' '\1' <out | sed "s|$PWD/pictures/||g" | tr '\1' '\0' | sort -z | cmp -s - want || fail 'names of list -0'
n_checks=$((n_checks + 1))

for name in "${names[@]}"; do
	run 0 info --json "pictures/$name"
	run 0 search -k 1 -- "pictures/$name"
done
(cd pictures && run 0 search -k 1 -- -k.png)

# JSON is valid UTF-8, and the bytes can be had back.
run 0 list --json
python3 -c '
import base64, json, os
rows = [json.loads(line) for line in open("out", "rb").read().decode("utf-8").splitlines()]
paths = {base64.b64decode(r["path_bytes"]) if "path_bytes" in r else r["path"].encode() for r in rows}
here = os.getcwdb() + b"/pictures/"
assert paths == {here + name for name in os.listdir(here)}, paths
assert sum("path_bytes" in r for r in rows) == 1
' || fail 'names in JSON'

# Whatever is on stderr has no raw control characters.
printf 'x' >$'pictures/\e[2Jbroken\n.png'
run 0 index --errors errors.tsv pictures
same "$(tr -cd '\033' <err | wc -c)" 0 'escape characters on stderr'
same "$(wc -l <errors.tsv)" 1 'lines of errors.tsv'

# On a terminal names are escaped on stdout as well.
if command -v script >/dev/null; then
	TERM=dumb script -qec "'$akin' list --paths" /dev/null </dev/null >out
	same "$(tr -cd '\033' <out | wc -c)" 0 'escape characters on a terminal'
	says out 'new\nline.png'
	says out 'bad\xff\xfe.png'
fi
done_testing
