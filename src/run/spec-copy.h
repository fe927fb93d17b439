/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory with a spec as it was: copies of its files and of those that it names (environment files, NAME.image, NAME.network as they
 * were understood), and where the originals were, for what is said of them. */

#include "spec/spec.h"
#include "util/error.h"

/* directory is made. Only root can read what is in it: there may be passwords in the environment. -ENOENT: an
 * environment file is missing that may not. */
int spec_copy_store(const Spec *spec, const char *directory, Error *reterr);

int spec_copy_load(const char *name, const char *directory, Spec **ret);
