/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The images of an app, by the keys of its spec: what berth-pull@.service runs. */

#include "cli/transfer.h"
#include "image/registry/pull.h"

/* Fetches what Image= and Pull= of the app's processes ask for, with Retry= and RetryDelay= where options do not say otherwise
 * (retries negative: not said), and tells systemd how far it is. Returns the exit code. */
int pull_app(const char *name, const PullOptions *options, int retries, TransferOutput output);
