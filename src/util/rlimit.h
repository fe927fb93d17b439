/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Resource limits by name, setrlimit(2). */

/* "nofile", or "RLIMIT_NOFILE", letter case ignored: RLIMIT_NOFILE, or -EINVAL. */
int rlimit_from_name(const char *name);
const char *rlimit_name(int resource); /* "nofile"; NULL past the last that is known */
/* The nearest name of what rlimit_from_name() did not know, or NULL where none is near. */
const char *rlimit_near(const char *name);
