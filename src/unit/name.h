/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of the units that an app has. Strings are the caller's to free; 0 or -ENOMEM. */

#include "util/macro.h"

/* As systemd-escape: what is neither a letter, a digit, ':', '_' nor '.' becomes "\x2d", '/' becomes '-', and so does a
 * '.' at the start. "shop-web" is "shop\x2dweb", so a '-' of ours is never one of the name's. */
int unit_escape(const char *text, char **ret);

/* "berth-ESC.slice": all of an app. An instance of a template, "web@a", has "berth-web\x40-a.slice" below that of the template. */
int unit_slice_name(const char *app, char **ret);

/* Where a slice is below the root of the control groups: "berth.slice/berth-shop.slice". systemd.slice(5). */
int unit_slice_path(const char *slice, char **ret);

/* "berth-pull@ESC.service": fetches the app's images. */
int unit_pull_name(const char *app, char **ret);

/* "ESC-PROCESS.INDEX.vRELEASE.scope", or "ESC.INDEX.vRELEASE.scope" where process is NULL: one instance. twin: "", or what tells it behind the
 * index from another one of the same name. */
int unit_scope_name(const char *app, const char *process, unsigned index, const char *twin, unsigned release, char **ret);
