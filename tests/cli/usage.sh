#!/usr/bin/env bash
# The command line: what is refused, with which words and which exit code, before any library is touched.
. "$SRC/tests/cli/support.bash"

run 0
says out 'akin - find pictures that are akin to a picture'
says out 'akin search beach.jpg'
same "$(grep -c '^  akin ' out)" 4 "examples of akin alone"
run 0 --version
grep -Eq '^akin [0-9]+\.[0-9]+\.[0-9]+$' out || fail "version"
run 0 version

run 2 serch x
is err "akin: unknown command 'serch'; did you mean 'search'?"
touch beach.jpg
run 2 beach.jpg
is err "akin: unknown command 'beach.jpg'; did you mean 'akin search beach.jpg'?"
run 2 search --threshhold 1 x
is err 'akin: unknown option --threshhold; did you mean --threshold?'
run 2 search --thresh 1 x
is err 'akin: unknown option --thresh; did you mean --threshold?'
run 2 search -k 0 x
is err "akin: -k must be a whole number from 1 to 1000000, not '0'"
run 2 search --threshold=1.5 x
is err "akin: --threshold must be a number from 0 to 1, not '1.5'"
run 2 search
is err 'akin: say what to search for; see akin search --help'
run 2 info a b
run 2 list extra
run 2 -k 5 search x
run 2 search --json --paths x
run 2 search http://127.0.0.1:1/cat.jpg
is err 'akin: to fetch http://127.0.0.1:1/cat.jpg over the net say --allow-net; see akin search --help'
run 2 index
run 2 index --watch --dry-run .
run 2 remove
run 2 export
run 2 import --npy a.npy
run 2 models frobnicate
run 2 completion tcsh
run 2 help serch
same "$(cat out)" '' 'stdout of a usage error'

# Control characters in what the user typed do not reach the terminal.
run 2 $'\e[31mred'
same "$(tr -cd '\033' <err | wc -c)" 0 'escape characters on stderr'

# No library: a sentence that says what to do.
run 3 search beach.jpg
says err 'there is no library at'
says err 'akin index FOLDER'
run 3 info
run 3 eval none.csv
[ ! -e "$AKIN_LIBRARY" ] || fail 'a search made a library'

# Standard output that cannot be written is a failure.
"$akin" --help >/dev/full 2>err
same $? 3 'exit code on a full disk'
says err 'cannot write to standard output'
done_testing
