/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sandbox/seccomp.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

#define FILTER_FORMAT "1" /* raise when the same profile compiles to something else */
#define FILTER_SIZE_MAX (4096 * 8)
#define FILTER_INSTRUCTION 8 /* bytes, struct sock_filter */

/* The kernel and the machine matter: profiles may name a minimum kernel, and syscall numbers differ. */
char *seccomp_cache_name(const char *profile, uint64_t capabilities) {
        _cleanup_buf_ Buf b = BUF_INIT;
        struct utsname host = { 0 };

        (void) uname(&host);
        if (buf_printf(&b, FILTER_FORMAT " " BERTH_VERSION " %s %s %016" PRIx64 " ", host.machine, host.release,
                    capabilities) < 0 ||
                buf_printf(&b, "%s%s", profile ? "json " : "default", profile ?: "") < 0)
                return NULL;
        /* Two hashes of 64 bits that start differently. */
        return str_format("seccomp-%016" PRIx64 "%016" PRIx64 ".bpf", hash_bytes(b.data, b.size),
                hash_bytes(b.data + 1, b.size - 1));
}

int seccomp_cached(const char *directory, const char *name) {
        _cleanup_close_ int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
        struct stat st;

        if (dir < 0)
                return errno == ENOTDIR ? -ENOENT : -errno;
        fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return errno == ELOOP ? -ENOENT : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        /* Whoever else could write it decides what a payload may do. */
        if (!S_ISREG(st.st_mode) || (st.st_mode & 022) || (st.st_uid != 0 && st.st_uid != geteuid()))
                return -ENOENT;
        if (st.st_size == 0 || st.st_size > FILTER_SIZE_MAX || st.st_size % FILTER_INSTRUCTION != 0)
                return -ENOENT;
        return TAKE_FD(fd);
}
