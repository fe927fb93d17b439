/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who is at a layer: of several pulls of one layer at the same time one downloads it, the others wait and take it. The
 * lock is the kernel's and ends with its process, however that ends.
 *
 *   claim/HEX   in the store, flocked by who downloads the layer of that diff id; gone afterwards */

#include "image/store.h"

typedef struct Claim Claim;

/* 1: it is the caller's, in *ret; 0: somebody else has it; or negative errno. */
int claim_try(Store *store, const char *diff_id, Claim **ret, Error *reterr);

/* Waits until it is the caller's. -ECANCELED as soon as cancel_fd is readable. */
int claim_wait(Store *store, const char *diff_id, int cancel_fd, Claim **ret, Error *reterr);

Claim *claim_free(Claim *c);
DEFINE_CLEANUP(Claim *, claim_free);
#define _cleanup_claim_ _cleanup_(claim_freep)
