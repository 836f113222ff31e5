#!/usr/bin/env bash
# Indexing: only what changed is read; moved, vanished, double and unreadable files; paths from stdin; symbolic links.
. "$SRC/tests/cli/support.bash"
need_engine

mkdir -p pictures/.hidden pictures/@eaDir pictures/sub
birds=("$stamps"/animals/birds/*.png)
cp "${birds[0]}" pictures/a.png
cp "${birds[1]}" pictures/b.png
cp "${birds[2]}" pictures/sub/c.png
cp "${birds[3]}" pictures/.hidden/d.png
cp "${birds[4]}" pictures/@eaDir/e.png
printf 'notes' >pictures/notes.txt
head -c 300 "${birds[5]}" >pictures/broken.png

# json KEY - a number of the last JSON summary.
json() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" out; }

run 0 index --dry-run pictures
same "$(grep -c '^add ' out)" 4 'files of the dry run'
run 0 index --errors errors.tsv pictures
says err '3 added, 1 could not be read in '
says err 'broken.png: '
same "$(cut -f1 errors.tsv)" "$PWD/pictures/broken.png" 'file of --errors'
[ -n "$(cut -f2 errors.tsv)" ] || fail 'no reason in errors.tsv'

run 0 index --json pictures
same "$(json added) $(json unchanged)" '0 3' 'second run'
run 0 --quiet index pictures
same "$(cat err)" '' 'stderr of --quiet'

# Moved: the entry is kept.
run 0 info --json pictures/a.png
id=$(json id)
mv pictures/a.png pictures/sub/moved.png
run 0 index --json pictures
same "$(json moved) $(json added) $(json missing)" '1 0 0' 'a moved file'
run 0 info --json pictures/sub/moved.png
same "$(json id)" "$id" 'id of a moved file'

# A copy is one more file of the same picture; a new content at a known path is another picture.
cp pictures/b.png pictures/copy.png
cp "${birds[6]}" pictures/sub/c.png
run 0 index --json pictures
same "$(json duplicate) $(json changed) $(json added)" '1 1 0' 'copy and change'
run 0 info pictures/copy.png
says out pictures/b.png

# Vanished: missing, listed, back again, pruned.
rm pictures/copy.png
run 0 index --json pictures
same "$(json missing)" 1 'a vanished file'
run 0 list --missing --paths
is out "$PWD/pictures/copy.png"
run 0 index --json --prune pictures
same "$(json pruned)" 1 'pruning'
run 1 list --missing
run 0 list --failed
says out broken.png

# Mended: a changed file is tried again.
cp "${birds[5]}" pictures/broken.png
run 0 index --json pictures
same "$(json failed)" 0 'a mended file'
run 1 list --failed

run 0 index --json --hidden pictures
same "$(json added)" 2 'hidden files'

# Paths from standard input.
mkdir more
cp "${birds[7]}" more/one.png
cp "${birds[8]}" more/two.png
cp "${birds[9]}" $'more/new\nline.png'
printf '%s\n' more/one.png more/two.png | "$akin" index --json - >out 2>err || fail 'index -'
same "$(json added)" 2 'paths by line'
find more -print0 -name '*.png' | "$akin" index --json -0 >out 2>err || fail 'index -0'
same "$(json added)" 1 'paths by NUL'
: | "$akin" index - >out 2>err || fail 'no paths on stdin'

# A file given by name is tried whatever it is called; one that is not there is told.
cp "${birds[10]}" more/picture.dat
run 0 index --json more/picture.dat
same "$(json added)" 1 'a file by name'
"$akin" index no-such-folder >out 2>err </dev/null
grep -q no-such-folder err || fail 'a path that does not exist is not told'

# Symbolic links: files behind links to folders only when asked, loops end.
mkdir -p elsewhere links/loop
cp "${birds[11]}" elsewhere/far.png
ln -s ../elsewhere links/away
ln -s .. links/loop/up
ln -s self links/self
run 0 index --json links
same "$(json added)" 0 'links not followed'
timeout 60 "$akin" index --json --follow-symlinks links >out 2>err </dev/null || fail 'symbolic links'
same "$(json added)" 1 'links followed'
run 0 check --deep
done_testing
