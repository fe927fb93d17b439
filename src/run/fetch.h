/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images that are not there when the app starts: berth-pull@APP.service fetches them while the supervisor waits, which needs
 * neither an HTTP client nor the network itself. */

#include "run/supervisor.h"

typedef struct Fetch Fetch;

/* progress: a sentence for STATUS=. done: 0, or negative errno with the reason; the Fetch may be freed in it. */
typedef struct FetchCallbacks {
        void (*progress)(void *userdata, const char *status);
        void (*done)(void *userdata, int result, const Error *error);
        void *userdata;
} FetchCallbacks;

/* Does Pull= of a process ask for it? Negative errno where the image is missing and Pull=never, or its name one of this machine. */
int fetch_wanted(const Spec *spec, Error *reterr);

int fetch_start(sd_bus *bus, const char *app, const FetchCallbacks *callbacks, Fetch **ret, Error *reterr);

/* The app is not to start after all. */
void fetch_cancel(Fetch *f);

Fetch *fetch_free(Fetch *f);
DEFINE_CLEANUP(Fetch *, fetch_free);
