/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A line of a Dockerfile that changes an image's configuration and no file: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD,
 * STOPSIGNAL, USER, VOLUME, WORKDIR. */

#include "image/json.h"

#define CHANGE_LENGTH_MAX 65536

/* config is the "config" object of an image's configuration. -EINVAL with a sentence. */
int change_apply(json_t *config, const char *line, Error *reterr);
