/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files say the app shall be, and which release that is. */

#include "run/request.h"
#include "run/supervisor.h"

/* The spec as its files are now; all that is wrong with it is logged, and the first of it is in reterr. */
int desired_spec(const Supervisor *sv, Spec **ret, Error *reterr);

/* A release, not numbered yet, of what the files say; or of what release `number` was (0: none), which the files may also want by Release=. desired is
 * the spec whose formation applies, and NULL where it is the release's own. */
int desired_read(Supervisor *sv, unsigned number, Release **ret_next, Spec **ret_desired, Error *reterr);

/* Its images are in the store: finds the release that it is, or makes a new one. *next becomes the running one where it is the same, and, at the
 * start of an app, the last one that was good where *next is known to have failed. */
int desired_settle(Supervisor *sv, Release **next, const Spec *desired, const Request *request, Error *reterr);

/* Keeps the spec whose formation applies for the next supervisor, and for `berth reload`. */
int desired_keep(const Supervisor *sv, const Spec *desired, Error *reterr);
int desired_kept(const Supervisor *sv, Spec **ret);

/* Forgets the oldest releases, but none that instances are of, not `previous`, and not what Release= names. */
void desired_prune(const Supervisor *sv, unsigned previous);
