/* akin/akin.h - the whole public API of akin, image search in C.
 *
 *   akin_library *lib; akin_result *res; akin_error err;
 *   akin_library_open(&lib, "photos.akin", NULL, &err);
 *   akin_library_index(lib, paths, n_paths, NULL, NULL, &err);
 *   akin_search_params p = { .k = 10 };
 *   akin_search_file(lib, "cat.jpg", &p, &res, &err);
 *
 * Conventions: a `create`, `open` or `**out` result is the caller's and has its `destroy`, `close` or `free`, which
 * take NULL. A getter's result is borrowed until its parent goes. A params struct whose bytes are all zero holds the
 * defaults. Strings are UTF-8; paths are whatever bytes the file system holds.
 * Threads: different handles are independent. One library handle may be used by several threads for searching and
 * reading; functions that write (index, remove, rebuild, import) serialise themselves.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_AKIN_H
#define AKIN_AKIN_H

#include "akin/eval.h"
#include "akin/filter.h"
#include "akin/index.h"
#include "akin/library.h"
#include "akin/local.h"
#include "akin/model.h"
#include "akin/query.h"
#include "akin/result.h"
#include "akin/status.h"
#include "akin/tag.h"
#include "akin/vectors.h"
#include "akin/version.h"

#endif
