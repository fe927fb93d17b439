/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What no single line can show: keys that are missing, or exclude one another. */

#include "spec/document.h"
#include "spec/spec.h"

/* Adds to diags, settles what depends on several keys. unknown: some values are stand-ins for what is not known here.
 * 0 or -ENOMEM. */
int spec_check(Spec *s, const SpecDocument *d, bool unknown, SpecDiags *diags);
