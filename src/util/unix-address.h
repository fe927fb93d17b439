/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Addresses of sockets in directories whose paths are longer than sockaddr_un(3type) has room for: 108 bytes. */

#include <sys/un.h>

/* Socket `name` in `directory`. A path that is too long goes through /proc/self/fd: *ret_directory is then a descriptor that has to stay
 * open until bind(2) or connect(2) is through, and otherwise -EBADF. 0 or negative errno, -ENAMETOOLONG of a long name. */
int unix_address(const char *directory, const char *name, struct sockaddr_un *ret, int *ret_directory);
