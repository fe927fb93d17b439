/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include "util/macro.h"

/* getsockopt(2) and setsockopt(2) of an int: the value or 0, or negative errno. */
int socket_get(int fd, int level, int option);
int socket_set(int fd, int level, int option, int value);

/* A TCP socket that connects without waiting; or negative errno. */
int socket_connect(const struct sockaddr_storage *to, socklen_t size);

/* Has the process (a name in /proc) the socket with that inode number open? */
bool process_has_socket(const char *pid, ino_t inode);
