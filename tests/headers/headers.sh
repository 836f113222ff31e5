# Each public header compiles alone, as C99 and as C++17, and twice in one file.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
strict="-pedantic -Wall -Wextra -Werror -fsyntax-only -I$SRC/include"
n=0
for path in "$SRC"/include/akin/*.h; do
	header=akin/$(basename "$path")
	printf '#include "%s"\n#include "%s"\nint nothing_else(void);\n' "$header" "$header" >"$scratch/one.c"
	cp "$scratch/one.c" "$scratch/one.cc"
	"$CC" -std=c99 $strict "$scratch/one.c" || { echo "$header is not C99 by itself"; exit 1; }
	"$CXX" -std=c++17 $strict "$scratch/one.cc" || { echo "$header is not C++17 by itself"; exit 1; }
	n=$((n + 1))
done
[ "$n" -gt 0 ] || { echo "no public headers found"; exit 1; }
echo "$n headers"
