/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of images, read and completed as Docker and Podman do. */

#include "util/error.h"

/* Of a full name with its tag: it is a file name in the store ('/' becomes '='), with room for a suffix. */
#define NAME_LENGTH_MAX 230
#define DIGEST_LENGTH 71 /* "sha256:" and 64 digits */
#define DIGEST_HEX_LENGTH 64

typedef struct Name {
        char *repository; /* "docker.io/library/nginx" */
        char *tag;        /* "latest" where neither tag nor digest was given; NULL with a digest alone */
        char *digest;     /* "sha256:…" or NULL */
        char *full;       /* "docker.io/library/nginx:latest", without the digest; NULL with a digest alone */
} Name;

void name_clear(Name *name);
#define _cleanup_name_ _cleanup_(name_clear)

/* What an image of that name is called when text names no registry. */
typedef enum NameDefault {
        NAME_DOCKER, /* docker.io/library/nginx; docker.io/NAME/… for a name with a slash */
        NAME_LOCAL,  /* localhost/nginx: images that were loaded or imported here */
        _NAME_DEFAULT_MAX,
        _NAME_DEFAULT_INVALID = -EINVAL,
} NameDefault;

/* 0, or -EINVAL with a sentence. */
int name_parse(const char *text, NameDefault fallback, Name *ret, Error *reterr);

/* A name that an image here is to get: the full one of name_parse(), which has no digest. */
int name_parse_new(const char *text, NameDefault fallback, char **ret_full, Error *reterr);

/* The first part of text is a registry: it has a dot, a colon or a capital letter, or is "localhost". */
bool name_has_registry(const char *text) _pure_;

/* "sha256:" and 64 lower-case hexadecimal digits; the second gives the digits, or NULL. */
bool digest_valid(const char *text) _pure_;
const char *digest_hex(const char *text) _pure_;

/* A full name as a file name of the store, and back. */
char *name_to_file(const char *full);
char *name_from_file(const char *file);
