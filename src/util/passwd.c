/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "util/fd.h"
#include "util/passwd.h"
#include "util/strv.h"

int passwd_read(int root, const char *path, char **ret, Error *reterr) {
        _cleanup_close_ int fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        struct stat st;
        int r;

        if (fd == -ENOENT || fd == -ENOTDIR) {
                *ret = strdup("");
                return *ret ? 0 : error_set_errno(reterr, -ENOMEM, "cannot read '%s' of the image", path);
        }
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot open '%s' of the image", path);
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return error_set(reterr, -EINVAL, "cannot read '%s' of the image: it is not a regular file", path);
        r = read_fd(fd, PASSWD_FILE_MAX, ret, NULL);
        return r < 0 ? error_set_errno(reterr, r, "cannot read '%s' of the image", path) : 0;
}

size_t passwd_line(char **text, char **fields, size_t n) {
        char *line = strsep(text, "\n");
        size_t count = 0;

        while (line && count < n)
                fields[count++] = strsep(&line, ":");
        return count;
}

bool passwd_id(const char *s, uint32_t *ret) {
        uint64_t v;

        if (parse_u64(s, UINT32_MAX - 1, &v) < 0)
                return false;
        *ret = (uint32_t) v;
        return true;
}
