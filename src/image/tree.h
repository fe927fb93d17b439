/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory as the tar archive that a layer is made from: sorted, so that the same tree gives the same bytes. */

#include "image/blob.h"

/* Hard links, owners, modes, times and the attributes that a layer keeps are in it; sockets are left out, and so is what other
 * file systems have mounted below. path is for error sentences; dir is taken, also on failure. */
int tree_blob(const char *path, int dir, Blob **ret, Error *reterr);
