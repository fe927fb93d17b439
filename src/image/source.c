/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/source-tar.h"
#include "image/source.h"
#include "image/stream.h"
#include "util/fd.h"

struct Source {
        char *path;
        int directory; /* or */
        TarSource *tar;
};

Source *source_free(Source *s) {
        if (!s)
                return NULL;
        fd_close(s->directory);
        tar_source_free(s->tar);
        free(s->path);
        free(s);
        return NULL;
}

static bool looks_compressed(int fd) {
        static const struct {
                const char *magic;
                size_t size;
        } formats[] = {
                { "\x1f\x8b", 2 },
                { "\x28\xb5\x2f\xfd", 4 },
                { "BZh", 3 },
                { "\xfd" "7zXZ", 6 },
        };
        char start[8] = { 0 };

        if (pread(fd, start, sizeof(start), 0) < 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                if (memcmp(start, formats[i].magic, formats[i].size) == 0)
                        return true;
        return false;
}

/* Decompressed into a file without a name. */
static int spool(const char *path, int fd, int scratch, int *ret, Error *reterr) {
        _cleanup_close_ int own = fd, file = -EBADF;
        _cleanup_stream_ Stream *stream = NULL;
        _cleanup_blob_ Blob *blob = NULL;
        const void *piece;
        ssize_t n;
        int r;

        blob = blob_new_fd(path, TAKE_FD(own));
        if (!blob)
                return -ENOMEM;
        r = stream_new(blob, &stream, reterr);
        if (r < 0)
                return r;
        file = openat(scratch, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
        if (file < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary file in the image store");
        while ((n = stream_read(stream, &piece, reterr)) > 0) {
                r = write_all(file, piece, (size_t) n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot copy %s into the image store", path);
        }
        if (n < 0)
                return (int) n;
        *ret = TAKE_FD(file);
        return 0;
}

static int open_tar(Source *s, int fd, const struct stat *st, int scratch, Error *reterr) {
        int r;

        if (!S_ISREG(st->st_mode) || looks_compressed(fd)) {
                r = spool(s->path, fd, scratch, &fd, reterr);
                if (r < 0)
                        return r;
        }
        r = tar_source_open(s->path, fd, &s->tar, reterr);
        if (r < 0)
                fd_close(fd);
        return r;
}

int source_open(const char *path, int scratch, Source **ret, Error *reterr) {
        _cleanup_source_ Source *s = calloc(1, sizeof(*s));
        bool standard = streq(path, "-");
        struct stat st;
        int fd, r;

        if (!s)
                return -ENOMEM;
        s->directory = -EBADF;
        s->path = strdup(standard ? "standard input" : path);
        if (!s->path)
                return -ENOMEM;
        fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open %s", s->path);
        if (fstat(fd, &st) < 0) {
                r = error_set_errno(reterr, -errno, "cannot look at %s", s->path);
                fd_close(fd);
                return r;
        }
        if (S_ISDIR(st.st_mode))
                s->directory = fd;
        else {
                r = open_tar(s, fd, &st, scratch, reterr);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

static int directory_blob(Source *s, const char *name, Blob **ret, uint64_t *ret_size, Error *reterr) {
        /* A pipe in the directory must not make anybody wait. */
        _cleanup_close_ int fd = open_in_root(s->directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        struct stat st;

        if (fd == -ENOENT)
                return fd;
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, fd < 0 ? fd : -errno, "cannot open %s in %s", name, s->path);
        if (!S_ISREG(st.st_mode))
                return error_set(reterr, -EBADMSG, "%s in %s is not a regular file", name, s->path);
        *ret = blob_new_fd(name, TAKE_FD(fd));
        if (!*ret)
                return -ENOMEM;
        if (ret_size)
                *ret_size = (uint64_t) st.st_size;
        return 0;
}

int source_blob(Source *s, const char *name, Blob **ret, uint64_t *ret_size, Error *reterr) {
        if (s->directory >= 0)
                return directory_blob(s, name, ret, ret_size, reterr);
        return tar_source_blob(s->tar, name, ret, ret_size, reterr);
}

int source_has(Source *s, const char *name, Error *reterr) {
        _cleanup_blob_ Blob *blob = NULL;
        int r = source_blob(s, name, &blob, NULL, reterr);

        return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int source_read(Source *s, const char *name, size_t max, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_blob_ Blob *blob = NULL;
        int r = source_blob(s, name, &blob, NULL, reterr);

        if (r == -ENOENT)
                return error_set(reterr, r, "%s has no %s", s->path, name);
        return r < 0 ? r : blob_read_all(blob, max, ret, ret_size, reterr);
}
