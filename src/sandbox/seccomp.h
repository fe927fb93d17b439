/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* seccomp filters: compiled by a short-lived process into a cache, from where the supervisor hands them to the helper. */

#include "util/error.h"

#define SECCOMP_PROFILE_MAX (4U << 20) /* bytes of a profile's text */

/* The file name of the compiled filter: a hash of all that it depends on. profile is the JSON text, or NULL for
 * the default profile. NULL when out of memory; the caller frees. */
char *seccomp_cache_name(const char *profile, uint64_t capabilities);

/* The compiled filter `name` in the directory, for HELPER_FD_SECCOMP; -ENOENT where it has to be compiled first
 * (`berth seccomp`), which is also the answer to a damaged one. */
int seccomp_cached(const char *directory, const char *name);

/* Compiles into fd, a file that is empty. Links libseccomp and jansson: for `berth seccomp` only (seccomp_dep). */
int seccomp_compile(const char *profile, uint64_t capabilities, int fd, Error *reterr);
