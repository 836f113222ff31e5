/* cli/fetch.c - one picture over http or https: limits on bytes, time and redirects, no other protocol.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "cli/cli.h"

enum { MAX_BYTES = 64 << 20, MAX_SECONDS = 30, MAX_REDIRECTS = 5 };

struct body {
	char *bytes;
	size_t n, capacity;
	bool too_long;
};

bool fetch_is_url(const char *word)
{
	return strncasecmp(word, "http://", 7) == 0 || strncasecmp(word, "https://", 8) == 0;
}

static size_t receive(char *bytes, size_t size, size_t n, void *user)
{
	struct body *body = user;
	size_t got = size * n;

	body->too_long = got > MAX_BYTES - body->n;
	if (body->too_long) return 0;
	if (body->n + got > body->capacity) {
		size_t wanted = 2 * (body->n + got);
		char *moved = realloc(body->bytes, wanted);

		if (!moved) return 0;
		body->bytes = moved;
		body->capacity = wanted;
	}
	memcpy(body->bytes + body->n, bytes, got);
	body->n += got;
	return got;
}

static CURLcode set_up(CURL *curl, const char *url, struct body *body, char *reason)
{
	CURLcode rc = curl_easy_setopt(curl, CURLOPT_URL, url);

	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)MAX_SECONDS);
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)MAX_BYTES);
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_USERAGENT, "akin/" AKIN_VERSION);
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	if (!rc) rc = curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	return rc;
}

char *fetch_url(const char *url, size_t *n)
{
	char reason[CURL_ERROR_SIZE] = "";
	struct body body = { .n = 0 };
	CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);
	CURL *curl = rc ? NULL : curl_easy_init();

	*n = 0;
	rc = curl ? set_up(curl, url, &body, reason) : CURLE_FAILED_INIT;
	if (!rc) rc = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	curl_global_cleanup();
	if (rc || !body.n) {
		if (body.too_long || rc == CURLE_FILESIZE_EXCEEDED)
			say("%s: larger than the limit of %d MiB", url, MAX_BYTES >> 20);
		else
			say("%s: %s", url, reason[0] ? reason : rc ? curl_easy_strerror(rc) : "nothing came");
		free(body.bytes);
		return NULL;
	}
	*n = body.n;
	return body.bytes;
}
