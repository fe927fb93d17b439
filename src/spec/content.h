/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What of a spec makes a release: two specs with the same content run the same. */

/* The lines of [Container], [Process NAME] and [Service] that count, as they are written, without those that are about how many instances
 * there are, how they are replaced and what they may use: these apply to the release that runs. dirs as for spec_load(); for a spec that
 * was read. A text of the caller's to free; 0 or negative errno. */
int spec_content(const char *name, const char *dirs, char **ret);
