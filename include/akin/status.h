/* akin/status.h - how every akin function says what happened.
 *
 * Each function that can fail returns an akin_status, which alone decides success. The caller may pass an
 * akin_error to receive the sentence for people; it may be NULL. Nothing is kept in global or thread-local state.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_STATUS_H
#define AKIN_STATUS_H

#include "akin/version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum akin_status {
	AKIN_OK = 0,
	AKIN_ERR_NOMEM = 1,       /* memory could not be had */
	AKIN_ERR_IO = 2,          /* the operating system refused a read, write, rename or sync */
	AKIN_ERR_INVALID = 3,     /* an argument is wrong; the sentence names it and its range */
	AKIN_ERR_NOT_FOUND = 4,   /* no such file, picture, model or id */
	AKIN_ERR_EXISTS = 5,      /* it is already there */
	AKIN_ERR_FORMAT = 6,      /* bytes from outside are not what they should be (damaged or lying file) */
	AKIN_ERR_UNSUPPORTED = 7, /* a known thing that this build or this machine cannot do */
	AKIN_ERR_LIMIT = 8,       /* a limit on pixels, bytes, time or memory was reached */
	AKIN_ERR_BUSY = 9,        /* another process holds the library's write lock */
	AKIN_ERR_CORRUPT = 10,    /* akin's own files contradict one another */
	AKIN_ERR_CANCELLED = 11,  /* the caller's callback asked to stop */
	AKIN_ERR_INTERNAL = 12    /* a library below failed in a way it should not */
} akin_status;

#define AKIN_ERROR_TEXT_MAX 1024

/* Caller-owned. `text` is UTF-8 or raw file-name bytes, always terminated, empty on AKIN_OK. */
typedef struct akin_error {
	akin_status status;
	char text[AKIN_ERROR_TEXT_MAX];
} akin_error;

/* The status' own short name ("not found"): static storage, never NULL. */
AKIN_API const char *akin_status_name(akin_status status);

#ifdef __cplusplus
}
#endif
#endif
