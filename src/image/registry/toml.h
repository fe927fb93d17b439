/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* TOML 1.0, strictly, as far as configuration files of containers use it: tables, arrays of tables, inline tables, arrays, strings
 * of all four kinds, decimal whole numbers, true and false. Floating-point numbers, numbers of other bases and dates are refused
 * by name. */

#include "image/json.h"

#define TOML_SIZE_MAX (1U << 20)
#define TOML_DEPTH_MAX 16    /* arrays and inline tables in each other, and parts of a dotted key */
#define TOML_TABLES_MAX 4096 /* tables and arrays of tables */

/* text is NUL-terminated. The document as an object; -EBADMSG (-E2BIG past a limit) with the line and what is wrong there. */
int toml_parse(const char *text, size_t size, json_t **ret, Error *reterr);
