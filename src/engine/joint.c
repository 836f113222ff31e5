/* engine/joint.c - the space in which texts and the pictures of a library meet.
 *
 * What a picture becomes there depends on its stored embedding alone: no picture is read again when an alignment comes, goes
 * or changes, and nothing of it is in the store, only in an index file of its own (engine/vectors.c).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "engine/engine.h"
#include "feature/alignment.h"
#include "feature/text_encoder.h"

enum { ALIGNMENT_MAX_BYTES = 1 << 20 };

bool joint_exists(const struct akin_library *lib)
{
	return lib->has_card && lib->alignment;
}

static bool has_sum(const struct model_card *card, const char *sha256)
{
	for (size_t i = 0; i < card->n_files; i++)
		if (!strcmp(card->files[i].sha256, sha256)) return true;
	return false;
}

/* An alignment was learned for these weights; with others it would give vectors that mean nothing. */
static akin_status check_fit(const struct akin_library *lib, const struct joint *joint, akin_error *err)
{
	const struct alignment_info *info = alignment_info(joint->alignment);
	const struct model_card *encoder = text_encoder_card(joint->encoder);

	if (info->picture_dim == lib->dim && info->text_dim == encoder->dim && has_sum(&lib->card, info->picture_sha256) &&
	    has_sum(encoder, info->text_sha256))
		return AKIN_OK;
	return error_set(err, AKIN_ERR_FORMAT, "the alignment %s is not for this version of %s or of %s", info->name,
	                 lib->model_name, encoder->name);
}

/* Another model, encoder or alignment makes other vectors. */
static akin_status identify(const struct akin_library *lib, struct joint *joint, akin_error *err)
{
	const struct alignment_info *info = alignment_info(joint->alignment);
	const struct model_card *encoder = text_encoder_card(joint->encoder);
	struct buf parts = BUF_EMPTY;
	char *card;
	akin_status st;

	joint->dim = (unsigned)info->dim;
	buf_puts(&parts, "akin joint space\n");
	buf_add(&parts, lib->model_hash, HASH_BYTES);
	buf_add(&parts, encoder->hash, HASH_BYTES);
	/* Its card names the sum of its weights. */
	card = fs_join(lib->alignment, "alignment.json");
	st = card && !parts.failed ? fs_read(card, ALIGNMENT_MAX_BYTES, &parts, err) : error_nomem(err);
	if (st == AKIN_OK) hash_content(parts.data, parts.len, joint->hash);
	buf_deinit(&parts);
	mem_free(card);
	return st;
}

static akin_status open_parts(struct akin_library *lib, struct joint *joint, akin_error *err)
{
	struct model_card card = { 0 };
	akin_status st = alignment_open(&joint->alignment, lib->alignment, err);

	if (st == AKIN_OK) st = models_find(alignment_info(joint->alignment)->text_model, lib->models_dir, &card, err);
	if (st == AKIN_OK) st = text_encoder_open(&joint->encoder, card.path, err);
	if (st == AKIN_OK) st = check_fit(lib, joint, err);
	if (st == AKIN_OK) st = identify(lib, joint, err);
	model_card_deinit(&card);
	return st;
}

akin_status joint_open(struct akin_library *lib, akin_error *err)
{
	akin_status st = AKIN_OK;

	if (!joint_exists(lib))
		return error_set(err, AKIN_ERR_UNSUPPORTED, "the model %s has no texts beside it: it cannot tell what one means",
		                 lib->model_name);
	pthread_mutex_lock(&lib->embed_lock);
	if (!lib->texts.joint) {
		st = open_parts(lib, &lib->joint, err);
		if (st == AKIN_OK) lib->texts.joint = &lib->joint;
		else joint_close(&lib->joint);
	}
	pthread_mutex_unlock(&lib->embed_lock);
	return error_note(err, st, "opening the texts of the model %s", lib->model_name);
}

void joint_close(struct joint *joint)
{
	text_encoder_close(joint->encoder);
	alignment_close(joint->alignment);
	*joint = (struct joint){ 0 };
}

akin_status joint_picture(const struct joint *joint, const float *embedding, float *out, akin_error *err)
{
	return alignment_picture(joint->alignment, embedding, out, err);
}

akin_status joint_text(const struct joint *joint, const char *text, float *out, akin_error *err)
{
	size_t n = strlen(text), n_pieces = 0;
	uint32_t *pieces = NULL;
	float *meaning = mem_alloc(text_encoder_dim(joint->encoder) * sizeof *meaning);
	akin_status st = meaning ? text_encode(joint->encoder, text, n, meaning, err) : error_nomem(err);

	if (st == AKIN_OK) st = text_encoder_pieces(joint->encoder, text, n, &pieces, &n_pieces, err);
	if (st == AKIN_OK) st = alignment_text(joint->alignment, meaning, n_pieces, out, err);
	mem_free(pieces);
	mem_free(meaning);
	return st;
}
