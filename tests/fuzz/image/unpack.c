/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A layer's archive, compressed or not, into a directory in memory, beside a file that nothing may touch; what was unpacked has
 * to give the archive again. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/layer-tar.h"
#include "image/unpack.h"
#include "util/fd.h"

#define SENTINEL "untouched"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

static char jail[] = "/dev/shm/berth-fuzz-XXXXXX";
static int jail_fd = -EBADF;

static void jail_remove(void) {
        (void) remove_tree(AT_FDCWD, jail);
}

static void jail_make(void) {
        check(mkdtemp(jail));
        jail_fd = open(jail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        check(jail_fd >= 0 && mkdirat(jail_fd, "outside", 0755) == 0);
        check(write_file(jail_fd, "outside/sentinel", SENTINEL, STRLEN(SENTINEL), 0600, false) == 0);
        check(atexit(jail_remove) == 0);
}

static void jail_check(void) {
        _cleanup_free_ char *text = NULL;
        struct stat st, dir;

        check(fstatat(jail_fd, "outside/sentinel", &st, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(jail_fd, "outside", &dir, 0) == 0);
        check(st.st_mode == (S_IFREG | 0600) && st.st_nlink == 1 && dir.st_mode == (S_IFDIR | 0755) && dir.st_nlink == 2);
        check(read_file(jail_fd, "outside/sentinel", 100, &text, NULL) == 0 && streq(text, SENTINEL));
}

typedef struct Memory {
        const uint8_t *data;
        size_t size;
        uint8_t now[700];
} Memory;

static ssize_t memory_read(void *userdata, const void **ret, Error *reterr) {
        Memory *m = userdata;
        size_t n = MIN(m->size, sizeof(m->now));

        /* Nothing is left of the piece before this one. */
        memcpy(m->now, m->data, n);
        *ret = m->now;
        m->data += n;
        m->size -= n;
        return (ssize_t) n;
}

static void comes_back(int layer, const StreamResult *result) {
        _cleanup_blob_ Blob *blob = NULL;
        const void *piece;
        uint64_t total = 0;
        Error e = { 0 };
        ssize_t n;

        check(layer_tar_open_at(layer, result->diff_id, &blob, &e) == 0);
        while ((n = blob_read(blob, &piece, &e)) > 0)
                total += (uint64_t) n;
        check(n == 0 && total == result->unpacked_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static Memory memory;
        Blob *blob = blob_new("input", memory_read, NULL, &memory);
        Stream *stream = NULL;
        StreamResult result;
        WriterCounts counts;
        Error e = { 0 };
        int layer, root, r;

        memory.data = data;
        memory.size = size;
        if (jail_fd < 0)
                jail_make();
        check(mkdirat(jail_fd, "layer", 0755) == 0 && mkdirat(jail_fd, "layer/root", 0755) == 0);
        layer = openat(jail_fd, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        root = openat(jail_fd, "layer/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        check(layer >= 0 && root >= 0);
        r = stream_new(blob, &stream, &e);
        if (r >= 0)
                r = unpack(stream, root, layer, &counts, &e);
        if (r >= 0)
                r = stream_finish(stream, &result, &e);
        check(r == 0 || r == -ENOMEM || (e.code < 0 && e.text[0]));
        check(r < 0 || result.size == size);
        if (r >= 0)
                comes_back(layer, &result);
        stream_free(stream);
        blob_free(blob);
        fd_close(root);
        fd_close(layer);
        check(remove_tree(jail_fd, "layer") == 0);
        jail_check();
        return 0;
}
