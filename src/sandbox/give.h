/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Gives a directory tree, or a file, to a user on disk, as the U option of a volume asks. */

#include <sys/types.h>

#include "util/error.h"

/* top may be an O_PATH descriptor. Links are given, never followed; other mounts below are left alone. */
int give_tree(int top, uid_t uid, gid_t gid, Error *reterr);
