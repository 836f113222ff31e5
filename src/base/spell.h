/* base/spell.h - how far two words are apart.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_SPELL_H
#define AKIN_BASE_SPELL_H

/* Letters put in, left out, changed, or exchanged with their neighbour, to come from one to the other; more than `most` (at most 8):
 * most + 1. The words are UTF-8; of words longer than 64 letters nothing is said: most + 1. */
unsigned spell_distance(const char *a, const char *b, unsigned most);

#endif
