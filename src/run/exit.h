/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a process ended, whether or not it is our own child. */

#include <signal.h>

#include "util/error.h"

#define EXIT_CODE_UNKNOWN (-1)

/* Of a process that is dead: CLD_EXITED and its status, or CLD_KILLED or CLD_DUMPED and its signal. Our own child is reaped by
 * that. Of somebody else's (adopted) only Linux 6.15 tells (PIDFD_GET_INFO), once it is reaped: else EXIT_CODE_UNKNOWN. */
void exit_status_read(int pidfd, bool adopted, int *ret_code, int *ret_status);

/* Somebody else's child is dead, is not reaped yet, and the kernel will tell its status when it is: wait for POLLHUP. */
bool exit_wait_for_hangup(int pidfd);

static inline bool exit_by_signal(int code) {
        return code == CLD_KILLED || code == CLD_DUMPED;
}
