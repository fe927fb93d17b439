/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a person calls a spec on the command line: a file, or a name in the search path. */

#include "spec/kind.h"

/* 0: it is a file. 1: it is *ret_name in the search path: "shop", or "shop.image" where no such file is here. -ENOMEM. */
int spec_name_argument(const char *what, SpecKind *ret_kind, char **ret_name);
