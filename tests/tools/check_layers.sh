# tools/check_layers finds each kind of breach, and nothing where there is none. SRC is the repository.
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/tools "$root"/src/{index,base,engine} "$root"/app/cli
cp "$SRC/tools/layers.txt" "$root/tools/"

expect() { # WORDS: check_layers fails and says them
	if out=$("$SRC/tools/check_layers" "$root"); then echo "not noticed: $1"; exit 1; fi
	case $out in *"$1"*) ;; *) echo "wanted \"$1\", got: $out"; exit 1 ;; esac
}
write() { printf '%s\n' "$2" >"$root/src/$1"; }

write base/a.c '#include "base/a.h"
#include <sodium.h>
void *a(void) { return malloc(1); }'
write index/b.c '/* malloc(1) "in a comment" strcpy( */ #include "simd/kernels.h"
static const char *s = "printf(\"x\")"; int x = mem_free(s) + str_printf(s) + p->free(s); // free(x)'
write engine/c.c '#include "akin/library.h"'
printf '%s\n' '#include "akin/akin.h"' '#include "common/o.h"' 'int main(void) { free(0); printf("x"); }' >"$root/app/cli/main.c"
"$SRC/tools/check_layers" "$root"

write index/bad.c '#include "store/store.h"'; expect 'src/index/bad.c:1: index must not include "store/store.h"'
write index/bad.c '#include "akin/library.h"'; expect 'must not include "akin/library.h"'
write index/bad.c '#include "bad.h"'; expect 'must name its folder'
write index/bad.c '#include <vips/vips.h>'; expect '<vips/vips.h> is only for image'
write index/bad.c 'int x = atoi(s);'; expect 'number parser'
write index/bad.c 'int x = sprintf(s, t);'; expect 'unbounded'
write index/bad.c 'int x = rand();'; expect 'random'
write index/bad.c '	free(s);'; expect 'base/alloc.h'
write index/bad.c '	fprintf(stdout, s);'; expect 'only app/ prints'
rm "$root/src/index/bad.c"
write base/bad.c '#include "types/hit.h"'; expect 'base must not include'
rm "$root/src/base/bad.c"
printf '#include "index/flat.h"\n' >"$root/app/cli/bad.c"; expect 'app/cli must not include'
