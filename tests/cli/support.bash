# What the tests of the program share: a home of their own, checks that say what they saw. Sourced, not run.
set -u
scratch=$(mktemp -d "${TMPDIR:-/tmp}/akin-cli-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch/home XDG_DATA_HOME=$scratch/home/data XDG_CACHE_HOME=${AKIN_TEST_CACHE:-$scratch/home/cache} LC_ALL=C.UTF-8
export AKIN_LIBRARY=$scratch/test.akin AKIN_MODELS=${AKIN_MODELS:-$SRC/models}
unset COLUMNS NO_COLOR AKIN_LOG
mkdir -p "$HOME"
cd "$scratch" || exit 3
akin=$AKIN
stamps=/usr/share/tuxpaint/stamps
n_checks=0

fail() {
	printf 'FAILED: %s\n' "$1"
	[ ! -s "$scratch/out" ] || { echo '--- stdout'; head -n 40 "$scratch/out"; }
	[ ! -s "$scratch/err" ] || { echo '--- stderr'; head -n 40 "$scratch/err"; }
	exit 1
}

# run CODE ARGUMENT... - akin with the arguments must exit with CODE; its output lies in out and err.
run() {
	local want=$1 got
	shift
	"$akin" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	got=$?
	[ "$got" = "$want" ] || fail "akin $*: exit $got, not $want"
	n_checks=$((n_checks + 1))
}

# says FILE TEXT - the output (out or err) holds TEXT; is FILE TEXT - it is TEXT.
says() { grep -qF -- "$2" "$scratch/$1" || fail "$1 does not say: $2"; n_checks=$((n_checks + 1)); }
is() { [ "$(cat "$scratch/$1")" = "$2" ] || fail "$1 is not: $2"; n_checks=$((n_checks + 1)); }
same() { [ "$1" = "$2" ] || fail "$3: '$1', not '$2'"; n_checks=$((n_checks + 1)); }

# Tests that read pictures need a model and the stamps.
need_engine() {
	[ -d "$stamps" ] || fail "no pictures at $stamps: scripts/setup --test installs them"
	compgen -G "$AKIN_MODELS/*" >/dev/null || fail "no models at $AKIN_MODELS"
}

done_testing() {
	[ "$n_checks" -gt 0 ] || fail "no checks were made"
	echo "$n_checks checks passed"
}
