/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "image/blob.h"
#include "util/buf.h"
#include "util/fd.h"

struct Blob {
        char *name;
        BlobRead read;
        BlobFree free;
        void *userdata;
};

Blob *blob_new(const char *name, BlobRead read, BlobFree destroy, void *userdata) {
        Blob *b = calloc(1, sizeof(*b));

        if (b) {
                b->name = strdup(name);
                b->read = read;
                b->free = destroy;
                b->userdata = userdata;
        }
        if (!b || !b->name) {
                free(b);
                if (destroy)
                        destroy(userdata);
                return NULL;
        }
        return b;
}

Blob *blob_free(Blob *b) {
        if (!b)
                return NULL;
        if (b->free)
                b->free(b->userdata);
        free(b->name);
        free(b);
        return NULL;
}

const char *blob_name(const Blob *b) {
        return b->name;
}

ssize_t blob_read_below(Blob *b, const void **ret, Error *reterr) {
        return b->read(b->userdata, ret, reterr);
}

ssize_t blob_read(Blob *b, const void **ret, Error *reterr) {
        ssize_t n = blob_read_below(b, ret, reterr);

        if (n < 0)
                (void) error_prefix(reterr, "cannot read %s", b->name);
        return n;
}

int blob_read_all(Blob *b, size_t max, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_buf_ Buf buf = BUF_INIT;
        const void *piece;
        ssize_t n;

        while ((n = blob_read(b, &piece, reterr)) > 0) {
                if ((size_t) n > max - buf.size)
                        return error_set(reterr, -E2BIG, "%s is longer than %zu bytes", b->name, max);
                if (buf_append(&buf, piece, (size_t) n) < 0)
                        return -ENOMEM;
        }
        if (n < 0)
                return (int) n;
        *ret_size = buf.size;
        *ret = buf_steal(&buf);
        return *ret ? 0 : -ENOMEM;
}

typedef struct FdBlob {
        int fd;
        char buffer[BLOB_CHUNK];
} FdBlob;

static ssize_t fd_blob_read(void *userdata, const void **ret, Error *reterr) {
        FdBlob *b = userdata;
        ssize_t n;

        do
                n = read(b->fd, b->buffer, sizeof(b->buffer));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return error_set_errno(reterr, -errno, "read");
        *ret = b->buffer;
        return n;
}

static void fd_blob_free(void *userdata) {
        FdBlob *b = userdata;

        if (b)
                fd_close(b->fd);
        free(b);
}

Blob *blob_new_fd(const char *name, int fd) {
        FdBlob *b = malloc(sizeof(*b));

        if (!b) {
                fd_close(fd);
                return NULL;
        }
        b->fd = fd;
        return blob_new(name, fd_blob_read, fd_blob_free, b);
}

typedef struct TextBlob {
        const void *data;
        size_t size;
} TextBlob;

static ssize_t text_blob_read(void *userdata, const void **ret, Error *reterr) {
        TextBlob *b = userdata;
        size_t n = b->size;

        *ret = b->data;
        b->size = 0;
        return (ssize_t) n;
}

Blob *blob_new_text(const char *name, const void *data, size_t size) {
        TextBlob *b = malloc(sizeof(*b));

        if (!b)
                return NULL;
        *b = (TextBlob){ .data = data, .size = size };
        return blob_new(name, text_blob_read, free, b);
}
