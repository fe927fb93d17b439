/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A start with just the images that ran before, whatever names lead to now and Pull= says: a drop-in of the app's spec in
 * /run/berth/specs that is there for that start. */

#include "util/buf.h"
#include "util/error.h"

typedef struct Rollback {
        Buf text;
} Rollback;

/* process "": the one without a name. id: of the image. 0 or -ENOMEM. */
int rollback_add(Rollback *r, const char *process, const char *id);
int rollback_write(const Rollback *r, const char *app, Error *reterr);
void rollback_clear(Rollback *r);
#define _cleanup_rollback_ _cleanup_(rollback_clear)

/* The drop-in goes, also where another one of these left it. */
void rollback_forget(const char *app);
