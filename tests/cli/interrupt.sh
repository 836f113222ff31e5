#!/usr/bin/env bash
# Ctrl-C stops after what is being read; kill -9 loses nothing that was there; both go on at the next run.
. "$SRC/tests/cli/support.bash"
need_engine

mkdir pictures
find "$stamps" -name '*.png' | sort | head -n 120 | while read -r picture; do cp "$picture" "pictures/$(basename "$picture")"; done
total=$(find pictures -type f | wc -l)

known() { "$akin" list --paths 2>/dev/null | wc -l; }
wait_for_some() { # until more than $1 files are known, at most 20 s
	for _ in $(seq 200); do
		[ "$(known)" -le "$1" ] || return 0
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.02
	done
}

run 0 --quiet index "pictures/$(ls pictures | head -n 1)" # compiles the model, makes the library
"$akin" index --jobs 1 pictures >out 2>err </dev/null &
pid=$!
wait_for_some 1
kill -INT $pid
wait $pid
code=$?
if [ $code = 0 ]; then
	echo 'the machine was faster than Ctrl-C'
else
	same $code 3 'exit code after Ctrl-C'
	says err 'stopped; run again to go on'
fi
run 0 check
before=$(known)

# Fifty times kill -9, each a little later; what was known stays known.
for round in $(seq 50); do
	"$akin" --quiet index pictures >out 2>err </dev/null &
	pid=$!
	sleep "0.$(printf '%03d' $((round * 7)))"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	now=$(known)
	[ "$now" -ge "$before" ] || fail "round $round: $now files known, $before before"
	before=$now
	n_checks=$((n_checks + 1))
	if [ "$now" = "$total" ] && [ $((round % 10)) = 0 ]; then # all read: forget some, so that there is work to interrupt
		"$akin" --quiet remove pictures 2>/dev/null
		before=0
	fi
done
run 0 --quiet index pictures
same "$(known)" "$total" 'files in the end'
run 0 check --deep
done_testing
