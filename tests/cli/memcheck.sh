#!/usr/bin/env bash
# The C API example under valgrind's memcheck, on a library that is already indexed: opening, looking for changes, searching,
# closing. The model's own run is left out, since memcheck does not follow the code that OpenVINO generates.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch XDG_DATA_HOME=$scratch XDG_CACHE_HOME=$scratch
pictures=/usr/share/tuxpaint/stamps/food/fruit
cc "$SRC/examples/search.c" -I"$SRC/include" -L"$BUILD/src" -lakin -o "$scratch/search"
export LD_LIBRARY_PATH=$BUILD/src
"$scratch/search" "$scratch/fruit.akin" "$pictures" "$pictures/apple_fuji.png" >"$scratch/plain"
valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
	"$scratch/search" "$scratch/fruit.akin" "$pictures" "$pictures/apple_fuji.png" >"$scratch/checked"
cmp "$scratch/plain" "$scratch/checked"
[ "$(wc -l <"$scratch/plain")" = 5 ]
