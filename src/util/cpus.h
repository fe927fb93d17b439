/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <unistd.h>

/* The machine's processors that are online, sysconf(3): what %cpus in Instances= stands for, whatever this process may use of them. */
static inline unsigned cpus_online(void) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return n > 0 ? (unsigned) n : 1;
}
