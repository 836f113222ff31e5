#!/usr/bin/env bash
# Help in every form comes from one table: each command has examples, fits 80 columns, and docs/commands.md is up to date.
. "$SRC/tests/cli/support.bash"

run 0 --help
commands=$(sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' out)
[ "$(wc -w <<<"$commands")" -ge 14 ] || fail "commands in the help: $commands"

for command in $commands; do
	run 0 "$command" --help
	says out "akin $command - "
	says out 'Examples'
	same "$(awk 'length > 80' out)" '' "lines of more than 80 columns in $command --help"
	cp out long
	run 0 help "$command"
	cmp -s out long || fail "help $command differs from $command --help"
	run 0 help --man "$command"
	head -n 1 out | grep -q "^\.TH \"akin-$command\" 1" || fail "man page of $command"
	[ ! -x /usr/bin/groff ] || same "$(groff -ww -man -Tutf8 out 2>&1 >/dev/null)" '' "groff on the page of $command"
	[ -f "$SRC/app/cli/cmd_$command.c" ] || fail "cmd_$command.c: make install derives pages from these names"
done
run 0 help --man
says out '.BR akin\-search (1)'

run 0 help --markdown
cmp -s out "$SRC/docs/commands.md" || { diff out "$SRC/docs/commands.md" | head; fail 'docs/commands.md: akin help --markdown >docs/commands.md'; }
done_testing
