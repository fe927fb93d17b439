/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Named volumes: BERTH_VOLUME_DIR/NAME/data, kept until somebody removes them. A new one has a file `new` beside `data`
 * until its first content (what the image has in its place) is complete. */

#include "util/error.h"

/* The path of the volume's data, which is made where it is missing; *ret_new says that it has to be filled. */
int volume_open(const char *name, char **ret_path, bool *ret_new, Error *reterr);

/* The volume has its first content. */
int volume_filled(const char *name);
