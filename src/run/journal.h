/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes entries to journald in its native protocol (systemd's docs: Native Journal Protocol), many at a time and
 * without ever blocking. */

#include <sys/uio.h>

#include "util/error.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_BATCH_MAX 64
#define JOURNAL_IOVEC_MAX 8

typedef struct JournalEntry {
        struct iovec iovec[JOURNAL_IOVEC_MAX]; /* together the entry's serialised fields */
        size_t n;
} JournalEntry;

/* A connected datagram socket or negative errno. */
int journal_connect(const char *path);

/* Sends entries in order. Returns how many the kernel took, which is fewer than n (perhaps 0) when journald's queue is
 * full: wait for POLLOUT on fd, then send the rest. Negative errno when the socket is of no use any more. */
int journal_send(int fd, const JournalEntry *entries, size_t n);
