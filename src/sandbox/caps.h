/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Capability sets and the change of user, for good. Bit N of a set is capability N. */

#include "sandbox/user.h"
#include "sandbox/world.h"

/* Becomes the user. After the next execve(2) a root payload has w->capabilities, any other w->ambient, and nothing
 * outside w->capabilities can ever be had again. Until then a seccomp filter can still be installed. */
int caps_become(const World *w, const User *u, Error *reterr);
