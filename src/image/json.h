/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Members of JSON objects with their type checked. A member that is absent or null is none. Error sentences name the member. */

#include <jansson.h>

#include "util/error.h"

#define _cleanup_json_ _cleanup_(json_decrefp)

/* The whole of text, an object or array of at most max bytes. */
int json_parse(const char *text, size_t size, size_t max, json_t **ret, Error *reterr);

/* Borrowed; NULL in *ret when there is none. type as json_typeof(). */
int json_member(const json_t *object, const char *key, json_type type, json_t **ret, Error *reterr);

int json_member_string(const json_t *object, const char *key, char **ret, Error *reterr);
int json_member_size(const json_t *object, const char *key, uint64_t *ret, Error *reterr);
/* An array of at most max strings; with one a lone string is an array of it. An empty list when there is none. */
int json_member_strings(const json_t *object, const char *key, size_t max, bool one, char ***ret, Error *reterr);
/* An object's keys (separator 0), or "key", separator, "value". */
int json_member_pairs(const json_t *object, const char *key, size_t max, char separator, char ***ret, Error *reterr);
