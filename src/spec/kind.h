/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kinds of files that a search path holds. */

#include "util/macro.h"

typedef enum SpecKind {
        SPEC_CONTAINER, /* NAME.container: an app */
        SPEC_IMAGE,     /* NAME.image: an image that is pulled */
        SPEC_NETWORK,   /* NAME.network: a network that apps are on */
        _SPEC_KIND_MAX,
        _SPEC_KIND_INVALID = -EINVAL,
} SpecKind;

const char *spec_kind_suffix(SpecKind kind); /* ".container" */
const char *spec_kind_noun(SpecKind kind);   /* "app" */

/* By the suffix of a file's name or path; _SPEC_KIND_INVALID where it has none of them. */
SpecKind spec_kind_of(const char *file);

/* What a file NAME.image has as its service without ServiceName=: "web-image", "web-image@a" for "web@a"; an app has its own name. The
 * caller frees; NULL when out of memory. */
char *spec_kind_service(SpecKind kind, const char *name);
