/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a person wants to see while an image comes or goes. */

#include <stddef.h>
#include <stdint.h>

typedef enum LayerState {
        LAYER_WAITING, /* another pull has it in work */
        LAYER_RUNNING,
        LAYER_DONE,
        LAYER_PRESENT, /* nothing to do: it is there already */
        LAYER_MOUNTED, /* nothing to send: the registry took it from another of its repositories */
        _LAYER_STATE_MAX,
        _LAYER_STATE_INVALID = -22,
} LayerState;

typedef struct LayerEvent {
        const char *digest;   /* "sha256:…": of the blob that comes, of the archive that goes */
        size_t number, count; /* from 1 on, lowest layer first */
        LayerState state;
        uint64_t bytes, total; /* of it; total 0: not known */
} LayerEvent;

/* Called by one thread at a time, but not always by the same. All may be NULL. */
typedef struct Events {
        void (*notice)(void *userdata, const char *sentence); /* something was not well, and it goes on */
        void (*warning)(void *userdata, const char *sentence); /* it goes well, but may not be what was meant */
        void (*image)(void *userdata, const char *host, size_t n_layers); /* it is known what will come or go, and where */
        void (*layer)(void *userdata, const LayerEvent *event);
        void *userdata;
} Events;
