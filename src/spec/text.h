/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text as unit files have it: UTF-8, words with quotes and C-style escapes, systemd's way of splitting. */

#include "util/macro.h"

#define WHITESPACE " \t\n\r"

/* Whole and well-formed UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF, no NUL. */
bool utf8_valid(const char *s, size_t size) _pure_;

/* The bytes of a Unicode scalar value as UTF-8 (at most 4), or 0 where it is none. */
size_t utf8_encode(uint32_t c, char ret[static 4]);

typedef enum WordFlags {
        WORD_UNQUOTE = 1 << 0,  /* "…" and '…' hold white space together and go away */
        WORD_UNESCAPE = 1 << 1, /* C-style escapes, within quotes too, as systemd.syntax(7)'s table */
        WORD_RELAX = 1 << 2,    /* an unbalanced quote ends at the end of the text */
        WORD_COMMAND = 1 << 3,  /* "\\;" as a word of its own is a plain semicolon */
} WordFlags;

/* Takes the next word off *p. Returns 1 with the word, 0 at the end, -EBADMSG (unbalanced quote or an escape that
 * makes no character; *p stands on it), -ENOMEM. An escape that the table does not have stays as it is written and
 * *ret_odd (may be NULL) is set to where it stands; else that is left alone. */
int word_next(const char **p, WordFlags flags, char **ret, const char **ret_odd);
