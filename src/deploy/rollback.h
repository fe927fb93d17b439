/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which release an app runs, changed by a drop-in. */

#include "deploy/app.h"
#include "deploy/drop-in.h"
#include "run/release.h"

#define ROLLBACK_DROP_IN "50-release.conf"

typedef struct Releases {
        ReleaseRecord *items; /* in ascending order */
        size_t n;
} Releases;

void releases_clear(Releases *r);
#define _cleanup_releases_ _cleanup_(releases_clear)

/* Does the app run this one? */
bool release_is_running(const App *app, const ReleaseRecord *r);

/* text: "v3", "3"; NULL or "": the last good one before what runs; "off": 0, what the files say. -EINVAL: senseless; -ENOENT: there is none. */
int rollback_choose(const App *app, const Releases *releases, const char *text, unsigned *ret, Error *reterr);

int rollback_set(DropIn *c, unsigned number);

/* As scale_check(). */
int rollback_check(const DropIn *c, unsigned number, Error *reterr);

/* Why the release that is to come is made. The caller frees; NULL when out of memory. */
char *rollback_reason(unsigned number);
