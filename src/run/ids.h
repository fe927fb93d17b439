/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which 65536 user and group ids of the host an app's containers run as (systemd's "UIDS-GIDS": the container range
 * 524288 to 1879048191, one aligned range a container). */

#include "spec/spec.h"
#include "util/error.h"

#define IDS_FIRST 524288U
#define IDS_LAST 1879048191U
#define IDS_RANGE ((uint32_t) SPEC_USERNS_IDS)

/* Takes `count` ids (rounded up to whole ranges) for app and returns the first. The place follows from the name, so that it is
 * the same at every start unless another holds it: an app of ours (a file in dir), a range that systemd-nspawn has locked,
 * one of /etc/subuid or /etc/subgid, or a user or group of the machine. Taken once, the same app gets it again. */
int ids_acquire(const char *dir, const char *app, uint32_t count, uint32_t *ret, Error *reterr);

/* Gives back what app holds. 0 when it held nothing. */
int ids_release(const char *dir, const char *app);
