/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kinds of files that a search path holds. */

#include "util/macro.h"

typedef enum SpecKind {
        SPEC_CONTAINER, /* NAME.container: an app */
        SPEC_IMAGE,     /* NAME.image: an image that is pulled */
        _SPEC_KIND_MAX,
        _SPEC_KIND_INVALID = -EINVAL,
} SpecKind;

const char *spec_kind_suffix(SpecKind kind); /* ".container" */

/* By the suffix of a file's name or path; _SPEC_KIND_INVALID where it has none of them. */
SpecKind spec_kind_of(const char *file);
