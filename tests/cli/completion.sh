#!/usr/bin/env bash
# Completions: the scripts are sound, and bash offers what the table holds.
. "$SRC/tests/cli/support.bash"

for shell in bash zsh fish; do
	run 0 completion $shell
	[ -s out ] || fail "nothing for $shell"
	says out threshold
	cp out completion.$shell
	! command -v $shell >/dev/null || $shell -n completion.$shell || fail "$shell does not read its completion"
done

. ./completion.bash
# offer WORD... - what bash offers for the last word.
offer() {
	COMP_WORDS=(akin "$@")
	COMP_CWORD=$#
	_akin
	echo "${COMPREPLY[*]}"
}
same "$(offer sea)" search 'command'
same "$(offer search --thres)" --threshold 'option'
same "$(offer -q search --allow)" --allow-net 'option after a global one'
same "$(offer models ver)" verify 'word'
mkdir -p folder/inner
touch file
same "$(offer search --in f)" folder 'folder'
same "$(offer search fi)" file 'file'
same "$(offer search -k '')" '' 'number'
done_testing
