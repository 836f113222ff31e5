#!/usr/bin/env bash
# akin match: a crop turned and made smaller is found where it was cut, another picture is not.
. "$SRC/tests/cli/support.bash"

# Pictures as BMP: whole.bmp, part.bmp (cut at 60, 40, turned a quarter clockwise), other.bmp, flat.bmp, dot.bmp.
python3 - <<'PYTHON'
import random, struct

def texture(seed, w, h):
    r = random.Random(seed)
    rows = [[128] * w for _ in range(h)]
    for _ in range(w * h // 70):
        x, y, v = r.randrange(w), r.randrange(h), r.randrange(256)
        a, b = 2 + int(20 * r.random() ** 3), 2 + int(20 * r.random() ** 3)
        for j in range(max(0, y - b), min(h, y + b)):
            rows[j][max(0, x - a):min(w, x + a)] = [v] * (min(w, x + a) - max(0, x - a))
    return rows

def write(name, rows):
    h, w = len(rows), len(rows[0])
    body = b"".join(b"".join(bytes((v, v, v)) for v in row) + bytes(-3 * w % 4) for row in reversed(rows))
    with open(name, "wb") as f:
        f.write(struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54))
        f.write(struct.pack("<IiiHHIIiiII", 40, w, h, 1, 24, 0, len(body), 0, 0, 0, 0) + body)

whole = texture(1, 320, 240)
part = [row[60:220] for row in whole[40:200]]
write("whole.bmp", whole)
write("part.bmp", [list(column) for column in zip(*reversed(part))])
write("other.bmp", texture(2, 320, 240))
write("flat.bmp", [[90] * 64 for _ in range(64)])
write("dot.bmp", [[9]])
PYTHON

# part's top left corner lies at the bottom left of where it was cut: (60, 199); its top right one at (60, 40).
for kind in sift surf orb; do
	run 0 match --local $kind --json part.bmp whole.bmp
	python3 - "$kind" <<'PYTHON' || fail "box of $kind"
import json, sys
got = json.load(open("out"))
assert got["found"] and got["inliers"] >= 8 and got["matches"] >= got["inliers"] and got["log10_nfa"] <= -6, got
want = [60, 199, 60, 40, 219, 40, 219, 199]
worst = max(abs(a - b) for a, b in zip(got["box"], want))
assert worst < 3, (worst, got["box"])
assert len(got["map"]) == 9 and got["model"] in ("similarity", "affine", "homography"), got
PYTHON
	n_checks=$((n_checks + 1))
	run 1 match --local $kind other.bmp whole.bmp
	says out 'not found'
done
for map in similarity affine homography fundamental; do
	run 0 match -g $map part.bmp whole.bmp
	says out 'part.bmp is in whole.bmp'
done
says out 'fundamental matrix'
run 1 match --json flat.bmp whole.bmp
says out '"found":false'
says out '"box":null'
run 1 match whole.bmp dot.bmp

# The same answer twice.
run 0 match --json part.bmp whole.bmp
cp out first
run 0 match --json part.bmp whole.bmp
cmp -s out first || fail 'another answer the second time'

# The drawing is a picture of both; a failure leaves none.
run 0 match --draw proof.png part.bmp whole.bmp
same "$(head -c 8 proof.png | od -An -tx1 | tr -d ' \n')" 89504e470d0a1a0a 'first bytes of the PNG'
run 3 match --draw nowhere/proof.png part.bmp whole.bmp
says err 'nowhere'
if command -v script >/dev/null; then
	TERM=xterm script -qec "'$akin' match --preview part.bmp whole.bmp" /dev/null </dev/null >out
	[ "$(wc -l <out)" -gt 8 ] || fail 'the preview is too short'
	says out 'corners'
fi

# Mistakes.
run 2 match part.bmp
run 2 match --local brisk part.bmp whole.bmp
says err 'sift, surf or orb'
run 2 match -g affinity part.bmp whole.bmp
run 2 match --ratio 1.5 part.bmp whole.bmp
run 3 match part.bmp missing.bmp
says err 'missing.bmp'
printf 'no picture' >text.jpg
run 3 match text.jpg whole.bmp
says err 'text.jpg'
done_testing
