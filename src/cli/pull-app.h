/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The images of an app, by the keys of its spec, and that of a NAME.image: what services run. */

#include "cli/transfer.h"
#include "image/registry/pull.h"
#include "spec/spec.h"

/* Fetches what Image= and Pull= of the app's processes ask for, with Retry= and RetryDelay= where options do not say otherwise
 * (retries negative: not said), and tells systemd how far it is. Returns the exit code. */
int pull_app(const char *name, const PullOptions *options, int retries, TransferOutput output);

/* The same for what NAME.image asks for. */
int pull_image_file(const char *name, const PullOptions *options, int retries, TransferOutput output);

/* What NAME.image names, whatever its Policy= is, by its options; *ret has the name that apps run. options->look: only finds out. */
int pull_by_file(const char *name, const PullOptions *options, Pulled *ret, Error *reterr);
