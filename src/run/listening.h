/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a network namespace listens on, proc_pid_net(5). */

#include <sys/types.h>

#include "util/buf.h"

/* Appends "127.0.0.1:8080, [::1]:53" of the sockets that listen by TCP where pid is, but for that of berth's resolver, at most LISTENING_MAX of them; nothing where none does.
 * 0 or negative errno. */
#define LISTENING_MAX 16
int listening_text(pid_t pid, Buf *b);

/* The same of the text of /proc/PID/net/tcp or, for AF_INET6, of tcp6. *n is how many there are already. */
int listening_parse(const char *text, int family, unsigned *n, Buf *b);
