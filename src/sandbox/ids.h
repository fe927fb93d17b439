/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The id maps of a World. */

#include "sandbox/world.h"

#define IDS_UNMAPPED UINT32_MAX

/* What the container's id is on the host, or IDS_UNMAPPED; the id itself without a user namespace. */
uint32_t ids_outside(const World *w, bool uid, uint32_t inside);

/* Writes uid_map and gid_map below proc, a descriptor of /proc/PID. */
int ids_write(const World *w, int proc, Error *reterr);
