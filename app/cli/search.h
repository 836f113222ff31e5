/* cli/search.h - what the files of akin search share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_CLI_SEARCH_H
#define AKIN_CLI_SEARCH_H

#include "cli/cli.h"

/* ---- search_query.c ---- */

/* Add what the words of the command line ask for. False: said why; *misused: they are not a query. */
bool search_query_words(akin_query *query, const struct parsed *parsed, bool allow_net, bool *misused);
/* Add pictures of the library as feedback. False: said why. */
bool search_query_feedback(akin_query *query, akin_library *lib, const struct option_list *list, bool liked);

/* ---- search_answer.c ---- */

enum search_form { SEARCH_TABLE, SEARCH_JSON, SEARCH_PATHS, SEARCH_NULL };
void search_put_answer(const struct cli *cli, const akin_result *result, enum search_form form, bool why);

#endif
