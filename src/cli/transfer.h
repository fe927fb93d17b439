/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far a pull or push is: on a terminal one line for each layer under way, rewritten in place; elsewhere a line when
 * something happened; or JSON, an object a line. */

#include "cli/cli.h"
#include "image/registry/event.h"

typedef enum TransferOutput {
        TRANSFER_LINES, /* on standard error: in place on a terminal */
        TRANSFER_QUIET,
        TRANSFER_JSON, /* on standard output */
        _TRANSFER_OUTPUT_MAX,
        _TRANSFER_OUTPUT_INVALID = -EINVAL,
} TransferOutput;

typedef enum TransferDirection {
        TRANSFER_PULL,
        TRANSFER_PUSH,
        _TRANSFER_DIRECTION_MAX,
        _TRANSFER_DIRECTION_INVALID = -EINVAL,
} TransferDirection;

typedef struct Transfer Transfer;

Transfer *transfer_new(TransferOutput output, TransferDirection direction); /* NULL: out of memory */
Transfer *transfer_free(Transfer *t);          /* takes the lines in place away */
DEFINE_CLEANUP(Transfer *, transfer_free);
#define _cleanup_transfer_ _cleanup_(transfer_freep)

Events transfer_events(Transfer *t);

/* The last words: the image that is there now, or why it is not. The second returns CLI_FAILED. */
void transfer_image(Transfer *t, const char *name, const char *id, const char *digest);
int transfer_failed(Transfer *t, const char *sentence);
