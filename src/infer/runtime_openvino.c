/* infer/runtime_openvino.c - sessions and slots over OpenVINO.
 *
 * The card's normalisation, channel order and layout are built into the graph, so that a slot's input is the decoder's
 * own output: 8-bit RGB rows. A compiled model is exported to the cache folder under a name that depends on everything
 * that shaped it; importing it again skips reading, building and compiling (measured: docs/models.md).
 * Inference runs in f32 (or the model's own int8): the processor's bf16 would make vectors depend on the machine.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "infer/infer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/str.h"
#include "infer/openvino_load.h"

struct infer_session {
	const struct openvino *ov;
	ov_core_t *core;
	ov_compiled_model_t *compiled;
	struct fs_map blob;       /* of an imported model, whose weights stay in it */
	char *embedding, *logits; /* output names, NULL: first output; none */
	unsigned width, height, slots;
	char *tokens[3];          /* names of a text tower's inputs: ids, mask, types; NULL: a picture model, or none */
	size_t length;            /* of each */
};

struct infer_slot {
	struct infer_session *session;
	ov_infer_request_t *request;
	ov_tensor_t *input, *embedding, *logits;
	uint8_t *pixels;
	ov_tensor_t *token_input[3];
	int64_t *tokens[3];
	ov_callback_t callback; /* OpenVINO keeps a pointer to it */
	void (*done)(void *ctx);
	void *done_ctx;
	bool running;
};

/* OpenVINO's message: its first line that says something, without the C++ source position in front. */
static akin_status fail(const struct openvino *ov, ov_status_e status, akin_error *err, const char *doing)
{
	const char *text = ov->ov_get_last_err_msg();
	char line[400];
	size_t n = 0;

	while (text && (str_starts(text, "Exception from") || str_starts(text, "Check '"))) {
		const char *next = strchr(text, '\n');
		if (!next || !next[1]) break;
		text = next + 1;
	}
	if (!text || !*text) text = ov->ov_get_error_info(status);
	for (; *text && *text != '\n' && n + 1 < sizeof line; text++) line[n++] = *text;
	line[n] = '\0';
	return error_set(err, AKIN_ERR_INTERNAL, "%s: OpenVINO: %s", doing, line);
}

#define TRY(call, doing)                                                                                               \
	do {                                                                                                           \
		ov_status_e status_ = (call);                                                                          \
		if (status_ != OK) {                                                                                   \
			st = fail(ov, status_, err, doing);                                                            \
			goto out;                                                                                      \
		}                                                                                                      \
	} while (0)

/* ---- building the graph ---- */

/* A free batch or a free size becomes the one that slots use: [1, 3, height, width] in the model's own layout. */
static akin_status fix_shape(const struct openvino *ov, ov_model_t *model, const struct infer_spec *spec, akin_error *err)
{
	const int64_t h = spec->height, w = spec->width;
	const int64_t nchw[4] = { 1, 3, h, w }, nhwc[4] = { 1, h, w, 3 };
	ov_partial_shape_t shape = { 0 };
	akin_status st = AKIN_OK;
	size_t n_inputs = 0;

	TRY(ov->ov_model_inputs_size(model, &n_inputs), "reading its inputs");
	if (n_inputs != 1)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "the model has %zu inputs; a picture model has one", n_inputs);
	TRY(ov->ov_partial_shape_create_static(4, spec->nchw ? nchw : nhwc, &shape), "fixing its input");
	TRY(ov->ov_model_reshape_single_input(model, shape), "fixing its input to the card's size");
out:
	ov->ov_partial_shape_free(&shape);
	return st;
}

static akin_status describe_input(const struct openvino *ov, ov_preprocess_prepostprocessor_t *pp,
                                  const struct infer_spec *spec, akin_error *err)
{
	ov_preprocess_input_info_t *info = NULL;
	ov_preprocess_input_tensor_info_t *tensor = NULL;
	ov_preprocess_input_model_info_t *model = NULL;
	ov_preprocess_preprocess_steps_t *steps = NULL;
	ov_layout_t *nhwc = NULL, *own = NULL;
	akin_status st = AKIN_OK;

	TRY(ov->ov_preprocess_prepostprocessor_get_input_info(pp, &info), "describing its input");
	TRY(ov->ov_preprocess_input_info_get_tensor_info(info, &tensor), "describing its input");
	TRY(ov->ov_preprocess_input_tensor_info_set_element_type(tensor, U8), "describing its input");
	TRY(ov->ov_layout_create("NHWC", &nhwc), "describing its input");
	TRY(ov->ov_preprocess_input_tensor_info_set_layout(tensor, nhwc), "describing its input");
	TRY(ov->ov_preprocess_input_info_get_model_info(info, &model), "describing its input");
	TRY(ov->ov_layout_create(spec->nchw ? "NCHW" : "NHWC", &own), "describing its input");
	TRY(ov->ov_preprocess_input_model_info_set_layout(model, own), "setting its layout");
	TRY(ov->ov_preprocess_input_info_get_preprocess_steps(info, &steps), "describing its input");
	TRY(ov->ov_preprocess_preprocess_steps_convert_element_type(steps, F32), "describing its input");
	if (spec->bgr) TRY(ov->ov_preprocess_preprocess_steps_reverse_channels(steps), "reversing channels");
	TRY(ov->ov_preprocess_preprocess_steps_mean_multi_channels(steps, spec->mean, 3), "setting its mean");
	TRY(ov->ov_preprocess_preprocess_steps_scale_multi_channels(steps, spec->std, 3), "setting its scale");
out:
	ov->ov_preprocess_preprocess_steps_free(steps);
	ov->ov_layout_free(own);
	ov->ov_preprocess_input_model_info_free(model);
	ov->ov_layout_free(nhwc);
	ov->ov_preprocess_input_tensor_info_free(tensor);
	ov->ov_preprocess_input_info_free(info);
	return st;
}

/* Outputs are f32 whatever the model computes in. */
static akin_status describe_output(const struct openvino *ov, ov_preprocess_prepostprocessor_t *pp, const char *name,
                                   akin_error *err)
{
	ov_preprocess_output_info_t *info = NULL;
	ov_preprocess_output_tensor_info_t *tensor = NULL;
	akin_status st = AKIN_OK;
	ov_status_e found = name ? ov->ov_preprocess_prepostprocessor_get_output_info_by_name(pp, name, &info)
	                         : ov->ov_preprocess_prepostprocessor_get_output_info_by_index(pp, 0, &info);

	if (found != OK)
		return error_set(err, AKIN_ERR_FORMAT, "the model has no output named \"%s\"", name ? name : "(first)");
	TRY(ov->ov_preprocess_output_info_get_tensor_info(info, &tensor), "describing its output");
	TRY(ov->ov_preprocess_output_set_element_type(tensor, F32), "describing its output");
out:
	ov->ov_preprocess_output_tensor_info_free(tensor);
	ov->ov_preprocess_output_info_free(info);
	return st;
}

static akin_status read_picture_model(struct infer_session *s, const struct infer_spec *spec, ov_model_t **out,
                                      akin_error *err)
{
	const struct openvino *ov = s->ov;
	ov_preprocess_prepostprocessor_t *pp = NULL;
	ov_model_t *plain = NULL;
	akin_status st = AKIN_OK;

	TRY(ov->ov_core_read_model(s->core, spec->model_path, spec->weights_path, &plain), "reading the model");
	if ((st = fix_shape(ov, plain, spec, err)) != AKIN_OK) goto out;
	TRY(ov->ov_preprocess_prepostprocessor_create(plain, &pp), "preparing the model");
	if ((st = describe_input(ov, pp, spec, err)) != AKIN_OK) goto out;
	if ((st = describe_output(ov, pp, spec->embedding, err)) != AKIN_OK) goto out;
	if (spec->logits && (st = describe_output(ov, pp, spec->logits, err)) != AKIN_OK) goto out;
	TRY(ov->ov_preprocess_prepostprocessor_build(pp, out), "preparing the model");
out:
	ov->ov_preprocess_prepostprocessor_free(pp);
	ov->ov_model_free(plain);
	return st;
}

/* ---- a text tower's graph ---- */

/* The card must name every input: one that got nothing would be silently wrong. */
static akin_status fix_tokens(const struct infer_session *s, ov_model_t *model, akin_error *err)
{
	const struct openvino *ov = s->ov;
	const int64_t dims[2] = { 1, (int64_t)s->length };
	const char *names[3];
	ov_partial_shape_t shapes[3] = { 0 };
	size_t n = 0, n_inputs = 0;
	akin_status st = AKIN_OK;

	TRY(ov->ov_model_inputs_size(model, &n_inputs), "reading its inputs");
	for (size_t i = 0; i < COUNT(s->tokens); i++) {
		if (!s->tokens[i]) continue;
		TRY(ov->ov_partial_shape_create_static(2, dims, &shapes[n]), "fixing its inputs");
		names[n++] = s->tokens[i];
	}
	if (n_inputs != n) {
		st = error_set(err, AKIN_ERR_UNSUPPORTED, "the text tower has %zu inputs, its card names %zu", n_inputs, n);
		goto out;
	}
	TRY(ov->ov_model_reshape(model, names, shapes, n), "fixing its inputs to the card's length");
out:
	for (size_t i = 0; i < n; i++) ov->ov_partial_shape_free(&shapes[i]);
	return st;
}

/* Numbers come as 64 bits, whatever the model takes. */
static akin_status describe_tokens(const struct openvino *ov, ov_preprocess_prepostprocessor_t *pp, const char *name,
                                   akin_error *err)
{
	ov_preprocess_input_info_t *info = NULL;
	ov_preprocess_input_tensor_info_t *tensor = NULL;
	akin_status st = AKIN_OK;

	TRY(ov->ov_preprocess_prepostprocessor_get_input_info_by_name(pp, name, &info), "describing its input");
	TRY(ov->ov_preprocess_input_info_get_tensor_info(info, &tensor), "describing its input");
	TRY(ov->ov_preprocess_input_tensor_info_set_element_type(tensor, I64), "describing its input");
out:
	ov->ov_preprocess_input_tensor_info_free(tensor);
	ov->ov_preprocess_input_info_free(info);
	return st;
}

static akin_status read_text_model(struct infer_session *s, const struct infer_text_spec *spec, ov_model_t **out,
                                   akin_error *err)
{
	const struct openvino *ov = s->ov;
	ov_preprocess_prepostprocessor_t *pp = NULL;
	ov_model_t *plain = NULL;
	akin_status st = AKIN_OK;

	TRY(ov->ov_core_read_model(s->core, spec->model_path, spec->weights_path, &plain), "reading the model");
	if ((st = fix_tokens(s, plain, err)) != AKIN_OK) goto out;
	TRY(ov->ov_preprocess_prepostprocessor_create(plain, &pp), "preparing the model");
	for (size_t i = 0; i < COUNT(s->tokens); i++)
		if (s->tokens[i] && (st = describe_tokens(ov, pp, s->tokens[i], err)) != AKIN_OK) goto out;
	if ((st = describe_output(ov, pp, spec->output, err)) != AKIN_OK) goto out;
	TRY(ov->ov_preprocess_prepostprocessor_build(pp, out), "preparing the model");
out:
	ov->ov_preprocess_prepostprocessor_free(pp);
	ov->ov_model_free(plain);
	return st;
}

/* ---- the cache of compiled models ---- */

/* What a session is made from: a picture model or a text tower. */
struct source {
	const struct infer_spec *picture;
	const struct infer_text_spec *text;
};

static void describe_source(const struct source *source, struct buf *key)
{
	const struct infer_spec *p = source->picture;
	const struct infer_text_spec *t = source->text;

	if (p) {
		buf_printf(key, " %u %u %d %d %s %s", p->width, p->height, p->nchw, p->bgr, p->embedding ? p->embedding : "",
		           p->logits ? p->logits : "");
		buf_add(key, p->mean, sizeof p->mean);
		buf_add(key, p->std, sizeof p->std);
	} else {
		buf_printf(key, " text %zu %s %s %s %s", t->length, t->ids, t->mask ? t->mask : "", t->types ? t->types : "",
		           t->output ? t->output : "");
	}
}

/* A name from all that shapes the compiled model: files (size and time stand for content), spec, goal, threads, runtime. */
static char *cache_path(const struct infer_session *s, const struct source *source, enum infer_goal goal,
                        unsigned threads, const char *cache_dir)
{
	const char *model = source->picture ? source->picture->model_path : source->text->model_path;
	const char *weights = source->picture ? source->picture->weights_path : source->text->weights_path;
	struct buf key = BUF_EMPTY;
	struct stat info = { 0 };
	ov_version_t version = { 0 };
	char *path = NULL;

	if (stat(model, &info) != 0 || !S_ISREG(info.st_mode)) return NULL;
	buf_printf(&key, "2 %s %lld %lld %lld", model, (long long)info.st_size, (long long)info.st_mtim.tv_sec,
	           (long long)info.st_mtim.tv_nsec);
	if (weights && stat(weights, &info) == 0)
		buf_printf(&key, " %lld %lld", (long long)info.st_size, (long long)info.st_mtim.tv_sec);
	describe_source(source, &key);
	buf_printf(&key, " %d %u", goal, threads);
	if (s->ov->ov_get_openvino_version(&version) == OK) buf_printf(&key, " %s", version.buildNumber);
	s->ov->ov_version_free(&version);
	if (!key.failed) path = str_printf("%s/%016" PRIx64 ".blob", cache_dir, hash_checksum(key.data, key.len, 0));
	buf_deinit(&key);
	return path;
}

/* A blob that cannot be imported (another processor, a torn file) is no failure: the model is compiled anew. */
static bool import_compiled(struct infer_session *s, const char *path)
{
	struct fs_map *map = &s->blob;
	uint64_t sum;
	bool ok = false;

	if (!path || fs_map_open(map, path, NULL) != AKIN_OK) return false;
	if (map->n > sizeof sum) {
		memcpy(&sum, map->bytes + map->n - sizeof sum, sizeof sum);
		ok = sum == hash_checksum(map->bytes, map->n - sizeof sum, 0) &&
		     s->ov->ov_core_import_model(s->core, (const char *)map->bytes, map->n - sizeof sum, "CPU", &s->compiled) == OK;
	}
	if (!ok) fs_map_close(map);
	return ok;
}

/* The cache is a convenience: what cannot be written is logged and left. */
static void export_compiled(struct infer_session *s, const char *path, const char *cache_dir)
{
	struct buf bytes = BUF_EMPTY;
	char *raw = path ? str_printf("%s.raw", path) : NULL;
	uint64_t sum;

	if (!raw || fs_mkdirs(cache_dir, NULL) != AKIN_OK) goto out;
	if (s->ov->ov_compiled_model_export_model(s->compiled, raw) != OK) goto out;
	if (fs_read(raw, UINT64_C(4) << 30, &bytes, NULL) != AKIN_OK) goto out;
	sum = hash_checksum(bytes.data, bytes.len, 0);
	buf_add(&bytes, &sum, sizeof sum);
	if (!bytes.failed && fs_write(path, bytes.data, bytes.len, NULL) != AKIN_OK)
		log_say(LOG_WARN, "cannot keep the compiled model in %s", path);
out:
	if (raw) fs_remove_tree(raw, NULL);
	mem_free(raw);
	buf_deinit(&bytes);
}

/* On the core and not with each call, since an import takes no properties. */
static akin_status configure(struct infer_session *s, enum infer_goal goal, unsigned threads, akin_error *err)
{
	const struct openvino *ov = s->ov;
	char n_threads[16], n_streams[16];
	const char *const properties[][2] = {
		{ "INFERENCE_PRECISION_HINT", "f32" }, { "INFERENCE_NUM_THREADS", n_threads }, { "NUM_STREAMS", n_streams },
		/* Pinning would tie streams to cores that the decoders also want. */
		{ "ENABLE_CPU_PINNING", "NO" },
	};
	akin_status st = AKIN_OK;

	snprintf(n_threads, sizeof n_threads, "%u", threads);
	snprintf(n_streams, sizeof n_streams, "%u", goal == INFER_THROUGHPUT ? threads : 1);
	for (size_t i = 0; i < COUNT(properties); i++)
		TRY(ov->ov_core_set_property(s->core, "CPU", properties[i][0], properties[i][1]), "setting up OpenVINO");
out:
	return st;
}

static akin_status compile(struct infer_session *s, const struct source *source, enum infer_goal goal,
                           unsigned threads, const char *cache_dir, akin_error *err)
{
	const struct openvino *ov = s->ov;
	char *path = cache_dir ? cache_path(s, source, goal, threads, cache_dir) : NULL;
	ov_model_t *model = NULL;
	akin_status st = AKIN_OK;

	if ((st = configure(s, goal, threads, err)) != AKIN_OK || import_compiled(s, path)) goto out;
	st = source->picture ? read_picture_model(s, source->picture, &model, err)
	                     : read_text_model(s, source->text, &model, err);
	if (st != AKIN_OK) goto out;
	TRY(ov->ov_core_compile_model(s->core, model, "CPU", 0, &s->compiled), "compiling the model");
	export_compiled(s, path, cache_dir);
out:
	ov->ov_model_free(model);
	mem_free(path);
	return st;
}

static akin_status keep_name(char **to, const char *name, akin_error *err)
{
	return !name || (*to = mem_strdup(name)) ? AKIN_OK : error_nomem(err);
}

static akin_status keep_names(struct infer_session *s, const struct source *source, akin_error *err)
{
	const struct infer_spec *p = source->picture;
	const struct infer_text_spec *t = source->text;
	const char *const inputs[] = { t ? t->ids : NULL, t ? t->mask : NULL, t ? t->types : NULL };
	akin_status st = keep_name(&s->embedding, p ? p->embedding : t->output, err);

	if (st == AKIN_OK) st = keep_name(&s->logits, p ? p->logits : NULL, err);
	for (size_t i = 0; i < COUNT(inputs) && st == AKIN_OK; i++) st = keep_name(&s->tokens[i], inputs[i], err);
	return st;
}

static akin_status open_source(struct infer_session **out, const struct source *source, enum infer_goal goal,
                               unsigned threads, const char *cache_dir, akin_error *err)
{
	const char *path = source->picture ? source->picture->model_path : source->text->model_path;
	const struct openvino *ov;
	struct infer_session *s = NULL;
	akin_status st;

	*out = NULL;
	if (!threads) threads = pool_cores();
	if (!fs_exists(path)) return error_set(err, AKIN_ERR_NOT_FOUND, "there is no model file %s", path);
	if ((st = openvino_load(&ov, err)) != AKIN_OK) return st;
	if (!(s = mem_zalloc(sizeof *s))) return error_nomem(err);
	s->ov = ov;
	s->width = source->picture ? source->picture->width : 0;
	s->height = source->picture ? source->picture->height : 0;
	s->length = source->text ? source->text->length : 0;
	s->slots = goal == INFER_THROUGHPUT ? 2 * threads : 1;
	if ((st = keep_names(s, source, err)) != AKIN_OK) goto out;
	TRY(ov->ov_core_create(&s->core), "starting OpenVINO");
	st = compile(s, source, goal, threads, cache_dir, err);
out:
	if (st == AKIN_OK) *out = s;
	else infer_close(s);
	return error_note(err, st, "loading %s", path);
}

akin_status infer_open(struct infer_session **out, const struct infer_spec *spec, enum infer_goal goal, unsigned threads,
                       const char *cache_dir, akin_error *err)
{
	return open_source(out, &(struct source){ .picture = spec }, goal, threads, cache_dir, err);
}

akin_status infer_open_text(struct infer_session **out, const struct infer_text_spec *spec, enum infer_goal goal,
                            unsigned threads, const char *cache_dir, akin_error *err)
{
	return open_source(out, &(struct source){ .text = spec }, goal, threads, cache_dir, err);
}

void infer_close(struct infer_session *session)
{
	if (!session) return;
	if (session->compiled) session->ov->ov_compiled_model_free(session->compiled);
	if (session->core) session->ov->ov_core_free(session->core);
	fs_map_close(&session->blob);
	mem_free(session->embedding);
	mem_free(session->logits);
	for (size_t i = 0; i < COUNT(session->tokens); i++) mem_free(session->tokens[i]);
	mem_free(session);
}

unsigned infer_best_slots(const struct infer_session *session)
{
	return session->slots;
}

/* ---- slots ---- */

static akin_status bind_pixels(struct infer_slot *slot, akin_error *err)
{
	const struct openvino *ov = slot->session->ov;
	const struct infer_session *s = slot->session;
	size_t bytes = 0;
	void *data = NULL;
	akin_status st = AKIN_OK;

	TRY(ov->ov_infer_request_get_input_tensor(slot->request, &slot->input), "taking its input");
	TRY(ov->ov_tensor_get_byte_size(slot->input, &bytes), "taking its input");
	if (bytes != (size_t)s->width * s->height * 3) {
		st = error_set(err, AKIN_ERR_FORMAT, "its input takes %zu bytes, the card says %u x %u x 3", bytes, s->width,
		               s->height);
		goto out;
	}
	TRY(ov->ov_tensor_data(slot->input, &data), "taking its input");
	slot->pixels = data;
out:
	return st;
}

static akin_status bind_tokens(struct infer_slot *slot, akin_error *err)
{
	const struct openvino *ov = slot->session->ov;
	const struct infer_session *s = slot->session;
	akin_status st = AKIN_OK;

	for (size_t i = 0; i < COUNT(s->tokens); i++) {
		size_t bytes = 0;
		void *data = NULL;

		if (!s->tokens[i]) continue;
		TRY(ov->ov_infer_request_get_tensor(slot->request, s->tokens[i], &slot->token_input[i]), "taking its input");
		TRY(ov->ov_tensor_get_byte_size(slot->token_input[i], &bytes), "taking its input");
		if (bytes != s->length * sizeof *slot->tokens[i]) {
			st = error_set(err, AKIN_ERR_FORMAT, "its input %s takes %zu bytes, the card says %zu numbers", s->tokens[i],
			               bytes, s->length);
			goto out;
		}
		TRY(ov->ov_tensor_data(slot->token_input[i], &data), "taking its input");
		slot->tokens[i] = data;
		memset(data, 0, bytes); /* the types stay 0: one sentence */
	}
out:
	return st;
}

static akin_status bind_tensors(struct infer_slot *slot, akin_error *err)
{
	const struct openvino *ov = slot->session->ov;
	const struct infer_session *s = slot->session;
	akin_status st = s->length ? bind_tokens(slot, err) : bind_pixels(slot, err);

	if (st != AKIN_OK) return st;
	if (s->embedding)
		TRY(ov->ov_infer_request_get_tensor(slot->request, s->embedding, &slot->embedding), "taking its output");
	else
		TRY(ov->ov_infer_request_get_output_tensor_by_index(slot->request, 0, &slot->embedding), "taking its output");
	if (s->logits)
		TRY(ov->ov_infer_request_get_tensor(slot->request, s->logits, &slot->logits), "taking its logits");
out:
	return st;
}

akin_status infer_slot_create(struct infer_slot **out, struct infer_session *session, akin_error *err)
{
	const struct openvino *ov = session->ov;
	struct infer_slot *slot = mem_zalloc(sizeof *slot);
	akin_status st = AKIN_OK;

	*out = NULL;
	if (!slot) return error_nomem(err);
	slot->session = session;
	TRY(ov->ov_compiled_model_create_infer_request(session->compiled, &slot->request), "creating a request");
	st = bind_tensors(slot, err);
out:
	if (st == AKIN_OK) *out = slot;
	else infer_slot_destroy(slot);
	return st;
}

void infer_slot_destroy(struct infer_slot *slot)
{
	const struct openvino *ov;

	if (!slot) return;
	ov = slot->session->ov;
	if (slot->running) ov->ov_infer_request_wait(slot->request);
	ov->ov_tensor_free(slot->input);
	for (size_t i = 0; i < COUNT(slot->token_input); i++) ov->ov_tensor_free(slot->token_input[i]);
	ov->ov_tensor_free(slot->embedding);
	ov->ov_tensor_free(slot->logits);
	if (slot->request) ov->ov_infer_request_free(slot->request);
	mem_free(slot);
}

uint8_t *infer_slot_input(struct infer_slot *slot)
{
	return slot->pixels;
}

void infer_slot_set_tokens(struct infer_slot *slot, const int64_t *ids, const int64_t *mask)
{
	const size_t bytes = slot->session->length * sizeof *ids;

	memcpy(slot->tokens[0], ids, bytes);
	if (slot->tokens[1]) memcpy(slot->tokens[1], mask, bytes);
}

akin_status infer_slot_run(struct infer_slot *slot, akin_error *err)
{
	const struct openvino *ov = slot->session->ov;
	akin_status st = AKIN_OK;

	TRY(ov->ov_infer_request_infer(slot->request), "running the model");
out:
	return st;
}

static void call_done(void *arg)
{
	struct infer_slot *slot = arg;

	slot->done(slot->done_ctx);
}

akin_status infer_slot_start(struct infer_slot *slot, void (*done)(void *ctx), void *ctx, akin_error *err)
{
	const struct openvino *ov = slot->session->ov;
	akin_status st = AKIN_OK;

	if (!slot->done) {
		slot->callback = (ov_callback_t){ call_done, slot };
		TRY(ov->ov_infer_request_set_callback(slot->request, &slot->callback), "running the model");
	}
	slot->done = done;
	slot->done_ctx = ctx;
	slot->running = true;
	TRY(ov->ov_infer_request_start_async(slot->request), "running the model");
out:
	if (st != AKIN_OK) slot->running = false;
	return st;
}

akin_status infer_slot_wait(struct infer_slot *slot, akin_error *err)
{
	const struct openvino *ov = slot->session->ov;
	akin_status st = AKIN_OK;

	slot->running = false;
	TRY(ov->ov_infer_request_wait(slot->request), "running the model");
out:
	return st;
}

static akin_status output_of(struct infer_slot *slot, ov_tensor_t *tensor, struct infer_output *out, akin_error *err)
{
	const struct openvino *ov = slot->session->ov;
	ov_shape_t shape = { 0 };
	void *data = NULL;
	akin_status st = AKIN_OK;

	TRY(ov->ov_tensor_get_shape(tensor, &shape), "reading its output");
	TRY(ov->ov_tensor_get_size(tensor, &out->n), "reading its output");
	TRY(ov->ov_tensor_data(tensor, &data), "reading its output");
	out->data = data;
	/* The first axis is the batch of one. */
	for (int64_t i = 1; i < shape.rank && out->rank < COUNT(out->shape); i++)
		out->shape[out->rank++] = (size_t)shape.dims[i];
out:
	if (shape.dims) ov->ov_shape_free(&shape);
	return st;
}

akin_status infer_slot_embedding(struct infer_slot *slot, struct infer_output *out, akin_error *err)
{
	*out = (struct infer_output){ 0 };
	return output_of(slot, slot->embedding, out, err);
}

akin_status infer_slot_logits(struct infer_slot *slot, struct infer_output *out, akin_error *err)
{
	*out = (struct infer_output){ 0 };
	return slot->logits ? output_of(slot, slot->logits, out, err) : AKIN_OK;
}

akin_status infer_runtime_name(char *out, size_t n, akin_error *err)
{
	const struct openvino *ov;
	ov_version_t version = { 0 };
	akin_status st = openvino_load(&ov, err);

	if (n) out[0] = '\0';
	if (st != AKIN_OK) return st;
	TRY(ov->ov_get_openvino_version(&version), "asking its version");
	snprintf(out, n, "OpenVINO %s from %s", version.buildNumber, ov->where);
out:
	ov->ov_version_free(&version);
	return st;
}
