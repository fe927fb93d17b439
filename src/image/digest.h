/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 as "sha256:HEX". */

#include "util/macro.h"

typedef struct Digest Digest;

Digest *digest_new(void); /* NULL: out of memory */
Digest *digest_free(Digest *d);
DEFINE_CLEANUP(Digest *, digest_free);
#define _cleanup_digest_ _cleanup_(digest_freep)

void digest_update(Digest *d, const void *data, size_t size);
void digest_finish(Digest *d, char ret[static 72]); /* d can only be freed after this */

int digest_of(const void *data, size_t size, char ret[static 72]); /* 0 or -ENOMEM */
