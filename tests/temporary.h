/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory for a test that is gone after it, however the test ends. One at a time. */

/* Makes it; path ends in six characters that are replaced. */
void temporary_make(char *path);
void temporary_remove(void);
