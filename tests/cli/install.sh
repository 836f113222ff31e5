#!/usr/bin/env bash
# make install puts everything in its place, and examples/search.c builds against it with pkg-config alone.
. "$SRC/tests/cli/support.bash"
need_engine

cmake --install "$BUILD" --prefix "$scratch/usr" >log 2>&1 || { cat log; fail 'cmake --install'; }
lib=$(dirname "$(find usr -name libakin.so | head -n 1)")
for file in bin/akin include/akin/akin.h share/man/man1/akin.1 share/man/man1/akin-search.1 share/bash-completion/completions/akin \
	share/zsh/site-functions/_akin share/fish/vendor_completions.d/akin.fish; do
	[ -s "usr/$file" ] || fail "not installed: $file"
	n_checks=$((n_checks + 1))
done
[ -f "$lib/pkgconfig/akin.pc" ] || fail 'no pkg-config file'
compgen -G 'usr/share/akin/models/*/card.json' >/dev/null || fail 'no models'

# A sanitised library needs its runtime first in the program: the plain build shows that the example builds.
grep -q '^AKIN_SANITIZE:STRING=$' "$BUILD/CMakeCache.txt" || { done_testing; exit; }
export PKG_CONFIG_PATH=$scratch/$lib/pkgconfig
cc -Wall -Wextra -Werror "$SRC/examples/search.c" $(pkg-config --cflags --libs akin) -o example 2>err || fail 'the example does not build'
cc -Wall -Wextra -Werror "$SRC/examples/vectors.c" $(pkg-config --cflags --libs akin) -o vectors 2>err || fail 'vectors.c does not build'
vectors=$SRC/tests/data/vectors/floats.npy
LD_LIBRARY_PATH=$scratch/$lib ./vectors "$vectors" "$vectors" >out 2>err || fail 'vectors.c does not run'
same "$(head -n 1 out | cut -d' ' -f1-4)" '0 (0) 2 (31.625)' 'answers of vectors.c'
mkdir pictures
cp "$stamps"/animals/birds/{owl,crow,pelican,seagull}.png pictures
unset AKIN_MODELS AKIN_LIBRARY
LD_LIBRARY_PATH=$scratch/$lib ./example photos.akin pictures pictures/owl.png >out 2>err || fail 'the example does not run'
same "$(wc -l <out)" 3 'hits of the example'
./usr/bin/akin -l photos.akin search -k 1 pictures/owl.png >out 2>err || fail 'the installed program'
done_testing
