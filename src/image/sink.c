/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/digest.h"
#include "image/name.h"
#include "image/sink.h"
#include "util/fd.h"
#include "util/strv.h"

struct Sink {
        int fd, scratch;
        struct archive *archive; /* NULL: fd is a directory */
        char **names, **directories;
};

Sink *sink_free(Sink *s) {
        if (!s)
                return NULL;
        (void) archive_write_free(s->archive);
        strv_free(s->names);
        strv_free(s->directories);
        free(s);
        return NULL;
}

static int archive_failed(Sink *s, Error *reterr) {
        const char *text = archive_error_string(s->archive);
        int code = archive_errno(s->archive);

        return error_set(reterr, code > 0 ? -code : -EIO, "cannot write the archive: %s", text ? text : "a file became longer");
}

int sink_open(int fd, int scratch, Sink **ret, Error *reterr) {
        _cleanup_sink_ Sink *s = calloc(1, sizeof(*s));
        struct stat st;

        if (!s)
                return -ENOMEM;
        s->fd = fd;
        s->scratch = scratch;
        if (fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at the output");
        if (!S_ISDIR(st.st_mode)) {
                s->archive = archive_write_new();
                if (!s->archive)
                        return -ENOMEM;
                if (archive_write_set_format_pax_restricted(s->archive) != ARCHIVE_OK ||
                        archive_write_set_bytes_per_block(s->archive, (int) BLOB_CHUNK) != ARCHIVE_OK ||
                        archive_write_set_bytes_in_last_block(s->archive, 1) != ARCHIVE_OK ||
                        archive_write_open_fd(s->archive, fd) != ARCHIVE_OK)
                        return archive_failed(s, reterr);
        }
        *ret = TAKE_PTR(s);
        return 0;
}

bool sink_has(const Sink *s, const char *name) {
        return strv_contains(s->names, name);
}

static int archive_header(Sink *s, const char *name, mode_t type, uint64_t size, Error *reterr) {
        struct archive_entry *entry = archive_entry_new();
        int r;

        if (!entry)
                return -ENOMEM;
        /* The same images give the same archive: owner root and time 0. */
        archive_entry_set_pathname(entry, name);
        archive_entry_set_filetype(entry, type);
        archive_entry_set_perm(entry, S_ISDIR(type) ? 0755 : 0644);
        archive_entry_set_size(entry, (la_int64_t) size);
        archive_entry_set_mtime(entry, 0, 0);
        r = archive_write_header(s->archive, entry) == ARCHIVE_OK ? 0 : archive_failed(s, reterr);
        archive_entry_free(entry);
        return r;
}

static int make_parents(Sink *s, const char *name, Error *reterr) {
        for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
                _cleanup_free_ char *directory = strndup(name, (size_t) (slash - name));
                int r;

                if (!directory)
                        return -ENOMEM;
                if (strv_contains(s->directories, directory))
                        continue;
                if (s->archive)
                        r = archive_header(s, directory, S_IFDIR, 0, reterr);
                else
                        r = mkdirat(s->fd, directory, 0755) < 0 && errno != EEXIST
                                ? error_set_errno(reterr, -errno, "cannot make directory %s", directory) : 0;
                if (r >= 0)
                        r = strv_consume(&s->directories, TAKE_PTR(directory));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Writes all of blob to fd, or into the archive's entry where fd is negative. */
static int copy(Sink *s, int fd, Blob *blob, Digest *digest, uint64_t *ret_size, Error *reterr) {
        const void *piece;
        uint64_t size = 0;
        ssize_t n;

        while ((n = blob_read(blob, &piece, reterr)) > 0) {
                int r = 0;

                if (fd < 0) {
                        if (archive_write_data(s->archive, piece, (size_t) n) != n)
                                return archive_failed(s, reterr);
                } else
                        r = write_all(fd, piece, (size_t) n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write %s", blob_name(blob));
                if (digest)
                        digest_update(digest, piece, (size_t) n);
                size += (uint64_t) n;
        }
        *ret_size = size;
        return n < 0 ? (int) n : 0;
}

int sink_blob(Sink *s, const char *name, uint64_t size, Blob *blob, Error *reterr) {
        _cleanup_close_ int fd = -EBADF;
        uint64_t real;
        int r = make_parents(s, name, reterr);

        if (r >= 0 && s->archive)
                r = archive_header(s, name, S_IFREG, size, reterr);
        else if (r >= 0) {
                fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
                if (fd < 0)
                        return error_set_errno(reterr, -errno, "cannot make %s", name);
        }
        if (r >= 0)
                r = copy(s, fd, blob, NULL, &real, reterr);
        if (r < 0)
                return r;
        if (real != size)
                return error_set(reterr, -EBADMSG, "%s has %llu bytes instead of %llu", blob_name(blob), (unsigned long long) real,
                        (unsigned long long) size);
        return strv_append(&s->names, name);
}

int sink_text(Sink *s, const char *name, const void *data, size_t size, Error *reterr) {
        _cleanup_blob_ Blob *blob = blob_new_text(name, data, size);

        return blob ? sink_blob(s, name, size, blob, reterr) : -ENOMEM;
}

/* The file without a name becomes the one of this name: by a link, or copied into the archive. */
static int place(Sink *s, int *fd, const char *name, uint64_t size, Error *reterr) {
        _cleanup_blob_ Blob *blob = NULL;
        char link[64];
        int r;

        if (!s->archive) {
                r = make_parents(s, name, reterr);
                if (r < 0)
                        return r;
                (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", *fd);
                if (linkat(AT_FDCWD, link, s->fd, name, AT_SYMLINK_FOLLOW) < 0)
                        return error_set_errno(reterr, -errno, "cannot make %s", name);
                return strv_append(&s->names, name);
        }
        if (lseek(*fd, 0, SEEK_SET) < 0)
                return error_set_errno(reterr, -errno, "cannot read what was packed");
        blob = blob_new_fd(name, TAKE_FD(*fd));
        return blob ? sink_blob(s, name, size, blob, reterr) : -ENOMEM;
}

int sink_unsized(Sink *s, const char *name, Blob *blob, char ret_digest[static 72], uint64_t *ret_size, Error *reterr) {
        _cleanup_close_ int fd = openat(s->archive ? s->scratch : s->fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0644);
        char own[sizeof("blobs/sha256/") + DIGEST_HEX_LENGTH];
        _cleanup_digest_ Digest *digest = digest_new();
        int r;

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot make a temporary file");
        if (!digest)
                return -ENOMEM;
        r = copy(s, fd, blob, digest, ret_size, reterr);
        if (r < 0)
                return r;
        digest_finish(digest, ret_digest);
        if (!name) {
                (void) snprintf(own, sizeof(own), "blobs/sha256/%s", digest_hex(ret_digest));
                name = own;
                if (sink_has(s, name))
                        return 0;
        }
        return place(s, &fd, name, *ret_size, reterr);
}

int sink_finish(Sink *s, Error *reterr) {
        struct stat st;

        if (s->archive && archive_write_close(s->archive) != ARCHIVE_OK)
                return archive_failed(s, reterr);
        if (fstat(s->fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at the output");
        if (S_ISDIR(st.st_mode) ? syncfs(s->fd) < 0 : S_ISREG(st.st_mode) && fsync(s->fd) < 0)
                return error_set_errno(reterr, -errno, "cannot write the output to disk");
        return 0;
}
