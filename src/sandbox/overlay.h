/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Overlay mounts over descriptors of layers, on every kernel from 6.1 on. */

#include "util/error.h"
#include "util/macro.h"

#define OVERLAY_LAYERS_MAX 500 /* the kernel's own limit */

/* Where older kernels need their layers attached: a tmpfs in a mount namespace of the calling process alone,
 * entered on first use. Host paths still resolve as before, but descriptors of host mounts that were opened
 * before cannot be cloned any more. */
typedef struct Stage {
        int root;
        unsigned used;
} Stage;
#define STAGE_INIT ((Stage){ .root = -EBADF })

/* lower: detached mounts, the topmost first. upper: a detached mount with `upper` and `work` in it, or -EBADF (then
 * there must be two lower ones at least). Returns a detached mount. */
int overlay_mount(Stage *stage, const int *lower, size_t n_lower, int upper, uint64_t attributes, Error *reterr);
