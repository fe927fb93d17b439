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

/* Fills in what the options do not say (retries: as above). They go on pointing to image. */
void pull_options_fill(PullOptions *o, const SpecImage *image, int retries);
