/* cli/cmd_vectors.c - akin vectors: the vector engine alone, on vectors that anybody made.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "cli/vectors.h"

#define AT(member) .at = offsetof(struct vectors_values, member)

static const struct option options[] = {
	{ .name = "output", .letter = 'o', .type = OPTION_FILE, .metavar = "FILE", AT(output),
	  .help = "build: the index to write" },
	{ .name = "kind", .type = OPTION_STRING, .metavar = "KIND", AT(kind),
	  .help = "build: auto (measured on a sample), flat, graph, ivf, binary or lsh; without it auto" },
	{ .name = "metric", .type = OPTION_STRING, .metavar = "METRIC", AT(metric),
	  .help = "build, search: l2 (squared), ip (minus the product), cosine or hamming; without it what the file "
	          "says, else l2, for bits hamming" },
	{ .name = "type", .type = OPTION_STRING, .metavar = "TYPE", AT(type),
	  .help = "build, search, convert: f32, f16, i8, u8 or bits; without it as the file has them" },
	{ .name = "seed", .type = OPTION_INT, .metavar = "N", .min = 0, .max = 1e15, AT(seed),
	  .help = "build: of what is random; the same seed and one thread give the same index" },
	{ .name = "links", .type = OPTION_INT, .metavar = "N", .min = 4, .max = 256, AT(links),
	  .help = "build: graph: most neighbours of a node; without it 32" },
	{ .name = "build-effort", .type = OPTION_INT, .metavar = "N", .min = 1, .max = 100000, AT(build_effort),
	  .help = "build: graph: candidates that are looked at for them; without it 100" },
	{ .name = "lists", .type = OPTION_INT, .metavar = "N", .min = 1, .max = 1e6, AT(lists),
	  .help = "build: ivf: how many lists; without it by the number of vectors" },
	{ .name = "code-width", .type = OPTION_INT, .metavar = "N", .min = 1, .max = 255, AT(code_width),
	  .help = "build: ivf: components that share a 4-bit code, 255 for no codes; without it 4" },
	{ .name = "rerank", .type = OPTION_INT, .metavar = "N", .min = 1, .max = 100000, AT(rerank),
	  .help = "build: ivf: so many times k vectors are compared exactly" },
	{ .name = "tables", .type = OPTION_INT, .metavar = "N", .min = 1, .max = 1000, AT(tables),
	  .help = "build: lsh: hash tables; without it 8" },
	{ .name = "hash-bits", .type = OPTION_INT, .metavar = "N", .min = 1, .max = 64, AT(hash_bits),
	  .help = "build: lsh: hash functions of a table; without it by the number of vectors" },
	{ .name = "hash-width", .type = OPTION_REAL, .metavar = "W", .min = 1e-30, .max = 1e30, AT(hash_width),
	  .help = "build: lsh: width of a function's cells; without it from a sample" },
	{ .name = "with-ids", .type = OPTION_FILE, .metavar = "FILE", AT(with_ids),
	  .help = "build, add, remove: ids of the vectors, whole numbers in .npy or .ivecs" },
	{ .name = "update", .letter = 'u', .type = OPTION_FLAG, AT(update),
	  .help = "add: vectors whose id is there replace it" },
	{ .name = "k", .letter = 'k', .type = OPTION_INT, .metavar = "N", .min = 1, .max = 100000, .preset = "10",
	  AT(k),
	  .help = "search, bench: so many neighbours of each query" },
	{ .name = "effort", .letter = 'e', .type = OPTION_INT, .metavar = "N", .min = 1, .max = 1e9, AT(effort),
	  .help = "search: how wide an approximate index looks; more is slower and nearer to exact" },
	{ .name = "recall", .letter = 'r', .type = OPTION_REAL, .metavar = "R", .min = 0.01, .max = 1, AT(recall),
	  .help = "search: the least effort that finds this share of the true neighbours, measured on 200 queries" },
	{ .name = "exact", .type = OPTION_FLAG, AT(exact), .help = "search: compare with every vector" },
	{ .name = "ids", .type = OPTION_FILE, .metavar = "FILE", AT(ids),
	  .help = "search: write the ids as .npy, int64, one row a query, -1 where fewer were found" },
	{ .name = "distances", .type = OPTION_FILE, .metavar = "FILE", AT(distances),
	  .help = "search: write the distances as .npy, float32" },
	{ .name = "truth", .type = OPTION_FILE, .metavar = "FILE", AT(truth),
	  .help = "bench: ids of the true neighbours, in .ivecs, .npy or HDF5; without it they are computed" },
	{ .name = "svg", .type = OPTION_FILE, .metavar = "FILE", AT(svg), .help = "bench: draw recall against speed" },
	{ .name = "limit", .type = OPTION_INT, .metavar = "N", .min = 1, .max = 1e9, AT(limit),
	  .help = "search, bench: only the first N queries" },
	{ .name = "part", .type = OPTION_STRING, .metavar = "PART", AT(part),
	  .help = "info, check, convert: base, queries or truth of a file that has several arrays" },
	{ .name = "format", .type = OPTION_STRING, .metavar = "FORMAT", AT(format),
	  .help = "convert: npy, fvecs, bvecs, ivecs, faiss (flat), faiss-ivf or faiss-hnsw; without it by the "
	          "name of the file" },
	JSON_OPTION(struct vectors_values, "search, info, bench: one JSON object a line"),
};

static const struct example examples[] = {
	{ "akin vectors search features.npy query.npy -k 10",
	  "the ten nearest by squared Euclidean distance, exact; nothing to build" },
	{ "akin vectors build base.fvecs -o base.akx --metric cosine",
	  "an index, of the kind that is fastest for these vectors" },
	{ "akin vectors search base.akx query.fvecs --recall 0.95 --ids ids.npy",
	  "as fast as 95 % of the true neighbours allow" },
	{ "akin vectors add base.akx more.npy", "more vectors, numbered after the last" },
	{ "akin vectors remove base.akx 17 4711", "fewer" },
	{ "akin vectors bench base.akx query.fvecs --svg plot.svg",
	  "recall, speed and latency over the range of efforts" },
	{ "akin vectors convert faiss.index vectors.npy", "vectors out of a Faiss index" },
	{ "akin vectors info glove-100-angular.hdf5 --part queries", "what is in a file" },
};

static const struct {
	const char *name;
	int (*run)(struct cli *cli, const struct parsed *parsed);
} actions[] = {
	{ "build", vectors_build }, { "search", vectors_search }, { "add", vectors_add },
	{ "remove", vectors_remove }, { "info", vectors_info }, { "check", vectors_check },
	{ "convert", vectors_convert }, { "bench", vectors_bench },
};

static int run(struct cli *cli, const struct parsed *parsed)
{
	struct nearest nearest = { .word = parsed->args[0] };

	for (size_t i = 0; i < COUNT(actions); i++) {
		if (!strcmp(parsed->args[0], actions[i].name)) return actions[i].run(cli, parsed);
		nearest_try(&nearest, actions[i].name);
	}
	if (nearest.best)
		return cli_misuse(parsed, "vectors knows no '%s'; did you mean '%s'?", parsed->args[0], nearest.best);
	return cli_misuse(parsed, "vectors knows no '%s'", parsed->args[0]);
}

const struct command command_vectors = {
	.name = "vectors",
	.summary = "search vectors without pictures: build, search, measure, convert",
	.arguments = "ACTION FILE [FILE | ID]...",
	.words = "build search add remove info check convert bench",
	.min_args = 1,
	.max_args = 100000,
	.about = "Actions: build BASE -o INDEX; search FILE QUERIES; add INDEX VECTORS; remove INDEX ID...; info FILE; "
	         "check FILE; convert FROM TO; bench FILE QUERIES.\n\n"
	         "Vectors come from .npy, .fvecs, .bvecs, .ivecs, ann-benchmarks' HDF5 and Faiss index files, told by "
	         "content. FILE is an index that build made, or any of these: then it is searched exactly.\n\n"
	         "search prints a line for each query: its number, then ids with their distances in brackets, nearest "
	         "first. Distances are smaller for nearer: l2 is squared, as Faiss has it; ip is minus the inner "
	         "product; cosine is 1 - cos; hamming counts differing bits. Ids are row numbers from 0 unless the "
	         "file or --with-ids says otherwise.\n\n"
	         "Each option names the actions that heed it.",
	.options = options,
	.n_options = COUNT(options),
	.examples = examples,
	.n_examples = COUNT(examples),
	.values_bytes = sizeof(struct vectors_values),
	.run = run,
};
