/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "image/digest.h"
#include "image/layer-tar.h"
#include "image/name.h"
#include "image/record-reader.h"
#include "util/buf.h"
#include "util/fd.h"

#define MOVED_MAX (64U << 20) /* bytes of the paths that an archive has more than once */

/* A path that meant something else from an operation of the record on. */
typedef struct Moved {
        size_t path; /* in moved_paths */
        size_t step;
        uint64_t number;
} Moved;

typedef struct LayerTar {
        char diff_id[72];
        int root, replaced; /* replaced: negative where nothing was */
        RecordReader *record;
        size_t step;
        Digest *digest;
        uint64_t size; /* of the archive so far */
        bool ended;

        char *moved_paths;
        Moved *moved; /* sorted by path, then step */
        size_t n_moved;

        RecordStep now; /* of the last F, but for its path being the file's */
        int file;       /* open for the D of that F; negative: not yet opened */
        uint64_t file_size, literal, data, data_offset;
        char buffer[BLOB_CHUNK];
} LayerTar;

static void layer_tar_free(void *userdata) {
        LayerTar *t = userdata;

        if (!t)
                return;
        fd_close(t->root);
        fd_close(t->replaced);
        fd_close(t->file);
        record_reader_free(t->record);
        digest_free(t->digest);
        free(t->moved_paths);
        free(t->moved);
        free(t);
}

static int compare_moved(const void *a, const void *b, void *userdata) {
        const char *paths = userdata;
        const Moved *x = a, *y = b;
        int order = strcmp(paths + x->path, paths + y->path);

        return order ? order : x->step < y->step ? -1 : x->step > y->step;
}

/* Reads the whole record for what was replaced. */
static int find_moved(LayerTar *t, int layer, Error *reterr) {
        _cleanup_record_reader_ RecordReader *record = NULL;
        _cleanup_free_ RecordStep *step = malloc(sizeof(*step));
        _cleanup_buf_ Buf paths = BUF_INIT, moved = BUF_INIT;
        int r = step ? record_reader_open(layer, &record, reterr) : -ENOMEM;

        for (size_t i = 1; r >= 0; i++) {
                Moved m = { .path = paths.size, .step = i };

                r = record_reader_next(record, step, reterr);
                if (r < 0 || step->op == TAR_RECORD_END)
                        break;
                if (step->op != TAR_RECORD_MOVED)
                        continue;
                m.number = step->numbers[0];
                if (paths.size > MOVED_MAX)
                        return error_set(reterr, -E2BIG, "its archive has too many files more than once");
                r = buf_append(&paths, step->path, strlen(step->path) + 1);
                if (r >= 0)
                        r = buf_append(&moved, &m, sizeof(m));
        }
        if (r < 0)
                return r;
        t->n_moved = moved.size / sizeof(Moved);
        t->moved_paths = buf_steal(&paths);
        t->moved = (Moved *) buf_steal(&moved);
        if (!t->moved_paths || !t->moved)
                return -ENOMEM;
        qsort_r(t->moved, t->n_moved, sizeof(Moved), compare_moved, t->moved_paths);
        return 0;
}

/* The first time after now that `path`, of n bytes, was replaced, or NULL. */
static const Moved *next_moved(const LayerTar *t, const char *path, size_t n) {
        size_t low = 0, high = t->n_moved;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const char *other = t->moved_paths + t->moved[middle].path;
                int order = strncmp(other, path, n);

                if (order == 0 && other[n])
                        order = 1;
                if (order < 0 || (order == 0 && t->moved[middle].step < t->step))
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low < t->n_moved) {
                const char *found = t->moved_paths + t->moved[low].path;

                if (strncmp(found, path, n) == 0 && !found[n])
                        return t->moved + low;
        }
        return NULL;
}

static int open_beneath(int dir, const char *path) {
        struct open_how how = {
                .flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
        };
        int fd = (int) syscall(SYS_openat2, dir, path, &how, sizeof(how));

        return fd < 0 ? -errno : fd;
}

/* The file of the last F, wherever it is since: itself or a directory above it may have been replaced, the first of them counts. */
static int open_file(LayerTar *t, Error *reterr) {
        const char *path = t->now.path, *rest = NULL;
        const Moved *first = NULL;
        struct stat st;

        for (size_t n = strcspn(path, "/"); t->n_moved > 0; n += 1 + strcspn(path + n + 1, "/")) {
                const Moved *m = next_moved(t, path, n);

                if (m && (!first || m->step < first->step)) {
                        first = m;
                        rest = path + n;
                }
                if (!path[n])
                        break;
        }
        if (first) {
                char moved[TAR_RECORD_PATH_MAX + 32];

                (void) snprintf(moved, sizeof(moved), "%llu%s", (unsigned long long) first->number, rest);
                t->file = open_beneath(t->replaced, moved);
        } else
                t->file = open_beneath(t->root, path);
        if (t->file < 0)
                return error_set(reterr, -EBADMSG, "it was changed since it was unpacked: cannot open '%.200s': %s", path,
                        strerror(-t->file));
        if (fstat(t->file, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at '%.200s'", path);
        if (!S_ISREG(st.st_mode) || (uint64_t) st.st_size != t->file_size)
                return error_set(reterr, -EBADMSG, "it was changed since it was unpacked: '%.200s' has not %llu bytes any more", path,
                        (unsigned long long) t->file_size);
        return 0;
}

static int take_end(LayerTar *t, const RecordStep *step, Error *reterr) {
        char digest[72];

        t->ended = true;
        digest_finish(t->digest, digest);
        if (step->numbers[0] != t->size || !streq(digest, t->diff_id))
                return error_set(reterr, -EBADMSG, "it was changed since it was unpacked: its archive is %s now", digest);
        return 0;
}

static int take_step(LayerTar *t, Error *reterr) {
        RecordStep *step = &t->now;
        int r = record_reader_next(t->record, step, reterr);

        if (r < 0)
                return r;
        t->step++;
        switch (step->op) {
        case TAR_RECORD_LITERAL:
                t->literal = step->numbers[0];
                break;
        case TAR_RECORD_NAME:
                t->file = fd_close(t->file);
                t->file_size = step->numbers[0];
                r = open_file(t, reterr);
                break;
        case TAR_RECORD_DATA:
                if (t->file < 0)
                        return error_set(reterr, -EBADMSG, "its file " TAR_RECORD_FILE " is broken: content of no file");
                t->data_offset = step->numbers[0];
                t->data = step->numbers[1];
                break;
        case TAR_RECORD_MOVED:
                t->file = fd_close(t->file);
                break;
        case TAR_RECORD_END:
                break; /* once what came before is hashed */
        }
        return r;
}

static ssize_t read_data(LayerTar *t, char *to, size_t size, Error *reterr) {
        size_t want = (size_t) MIN(t->data, (uint64_t) size);
        ssize_t n;

        do
                n = t->data_offset > INT64_MAX - want ? 0 : pread(t->file, to, want, (off_t) t->data_offset);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return error_set_errno(reterr, -errno, "cannot read a file of it");
        if (n == 0)
                return error_set(reterr, -EBADMSG, "it was changed since it was unpacked: a file of it is shorter");
        t->data_offset += (uint64_t) n;
        t->data -= (uint64_t) n;
        return n;
}

static ssize_t layer_tar_read(void *userdata, const void **ret, Error *reterr) {
        LayerTar *t = userdata;
        size_t size = 0;

        while (!t->ended && size < sizeof(t->buffer)) {
                size_t room = sizeof(t->buffer) - size;
                ssize_t n = 0;
                int r = 0;

                if (t->literal > 0) {
                        n = (ssize_t) MIN(t->literal, (uint64_t) room);
                        r = record_reader_literal(t->record, t->buffer + size, (size_t) n, reterr);
                        t->literal -= (uint64_t) n;
                } else if (t->data > 0)
                        n = read_data(t, t->buffer + size, room, reterr);
                else if (t->now.op == TAR_RECORD_END)
                        break;
                else
                        r = take_step(t, reterr);
                if (r < 0 || n < 0)
                        return r < 0 ? r : n;
                size += (size_t) n;
        }
        digest_update(t->digest, t->buffer, size);
        t->size += size;
        if (t->now.op == TAR_RECORD_END && !t->ended) {
                int r = take_end(t, &t->now, reterr);

                if (r < 0)
                        return r;
        }
        *ret = t->buffer;
        return (ssize_t) size;
}

static int open_parts(LayerTar *t, int layer, Error *reterr) {
        int r = record_reader_open(layer, &t->record, reterr);

        if (r == -ENOENT)
                return error_set(reterr, -ENODATA, "nothing says what its archive was, as an older berth unpacked it: remove the images that "
                                                   "have it, and load or pull them again");
        if (r < 0)
                return r;
        t->root = openat(layer, "root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (t->root < 0)
                return error_set_errno(reterr, -errno, "cannot open its files");
        t->replaced = openat(layer, TAR_RECORD_REPLACED, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (t->replaced < 0 && errno != ENOENT)
                return error_set_errno(reterr, -errno, "cannot open the files that its archive replaces");
        return t->replaced < 0 ? 0 : find_moved(t, layer, reterr);
}

static int layer_tar_new(int layer, const char *diff_id, LayerTar **ret, Error *reterr) {
        LayerTar *t = calloc(1, sizeof(*t));
        int r = -ENOMEM;

        if (!t)
                return r;
        t->root = t->replaced = t->file = -EBADF;
        (void) snprintf(t->diff_id, sizeof(t->diff_id), "%s", diff_id);
        t->digest = digest_new();
        if (t->digest)
                r = open_parts(t, layer, reterr);
        if (r < 0) {
                layer_tar_free(t);
                return r;
        }
        *ret = t;
        return 0;
}

int layer_tar_open_at(int layer, const char *diff_id, Blob **ret, Error *reterr) {
        char name[sizeof("layer ") + DIGEST_LENGTH];
        LayerTar *t;
        int r = layer_tar_new(layer, diff_id, &t, reterr);

        (void) snprintf(name, sizeof(name), "layer %s", diff_id);
        if (r < 0) {
                (void) error_prefix(reterr, "cannot make the archive of %s", name);
                return r;
        }
        *ret = blob_new(name, layer_tar_read, layer_tar_free, t);
        return *ret ? 0 : -ENOMEM;
}

static int check_steps(LayerTar *t, uint64_t size, Error *reterr) {
        for (;;) {
                int r = take_step(t, reterr);

                if (r < 0)
                        return r;
                t->size += t->literal;
                if (t->data > 0 && (t->data_offset > t->file_size || t->data > t->file_size - t->data_offset))
                        return error_set(reterr, -EBADMSG, "its file " TAR_RECORD_FILE " is broken: a file is too short for it");
                t->size += t->data;
                t->literal = t->data = 0;
                if (t->now.op == TAR_RECORD_END)
                        break;
        }
        if (t->size == size && t->now.numbers[0] == size)
                return 0;
        return error_set(reterr, -EBADMSG, "its archive would have %llu bytes, not %llu", (unsigned long long) t->size,
                (unsigned long long) size);
}

int layer_tar_check(int layer, uint64_t size, Error *reterr) {
        LayerTar *t;
        int r = layer_tar_new(layer, "", &t, reterr);

        if (r < 0)
                return r;
        r = check_steps(t, size, reterr);
        layer_tar_free(t);
        return r;
}

int layer_tar_open(Store *store, const char *diff_id, Blob **ret, uint64_t *ret_size, Error *reterr) {
        char path[sizeof("layer/") + DIGEST_HEX_LENGTH];
        _cleanup_close_ int layer = -EBADF;
        LayerMeta meta;
        int r;

        (void) snprintf(path, sizeof(path), "layer/%s", digest_hex(diff_id));
        layer = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (layer < 0)
                return error_set_errno(reterr, -errno, "cannot open layer %s of the image store", diff_id);
        r = store_layer_meta(store, diff_id, &meta);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read about layer %s", diff_id);
        r = layer_tar_open_at(layer, diff_id, ret, reterr);
        if (r >= 0 && ret_size)
                *ret_size = meta.tar_size;
        return r;
}
