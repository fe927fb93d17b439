/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* URLs that a server gives. */

#include "util/error.h"

#define URL_LENGTH_MAX 8192 /* signed storage URLs have some 1000 */

/* location as a whole URL, where it is seen at base. Only http and https, no user and password. */
int url_resolve(const char *base, const char *location, char **ret, Error *reterr);

/* Both lead to the same scheme, host and port. */
bool url_same_server(const char *a, const char *b);

/* "https://host" (and ":port") for sentences. */
char *url_server(const char *url);

/* key=value, escaped, behind what the URL asks already. */
int url_add_query(char **url, const char *key, const char *value);
