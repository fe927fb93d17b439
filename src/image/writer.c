/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/path.h"
#include "image/tar-record.h"
#include "image/writer-internal.h"
#include "util/fd.h"

static int drop_acl(int fd, const char *name) {
        return fremovexattr(fd, name) < 0 && errno != ENODATA && errno != EOPNOTSUPP ? -errno : 0;
}

#define WRITER_EARLY_SIZE (64U << 10) /* of a file whose way to the disk begins as soon as it is written */

int writer_new(int root, Writer **ret, Error *reterr) {
        Writer *w = calloc(1, sizeof(*w));

        if (!w)
                return -ENOMEM;
        w->root = root;
        w->parent = w->file = w->layer = -EBADF;
        /* The store's own directory may have lists for what is made in it. */
        if (drop_acl(root, XATTR_ACL_DEFAULT) < 0 || drop_acl(root, XATTR_ACL_ACCESS) < 0 || fchmod(root, 0755) < 0 || fchown(root, 0, 0) < 0) {
                free(w);
                return error_set_errno(reterr, -errno, "cannot prepare the layer's directory");
        }
        *ret = w;
        return 0;
}

Writer *writer_free(Writer *w) {
        if (!w)
                return NULL;
        fd_close(w->parent);
        fd_close(w->file);
        free(w->parent_path);
        free(w->parent_real);
        buf_clear(&w->file_path);
        buf_clear(&w->directories);
        free(w);
        return NULL;
}

WriterCounts writer_counts(const Writer *w) {
        return w->counts;
}

static int make_directory(Writer *w, int parent, const Entry *e, const char *name) {
        struct stat st;
        int r;

        if (mkdirat(parent, name, e->mode & 0777) >= 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return 0;
        r = writer_make_room(w, parent, name);
        if (r < 0)
                return r;
        if (mkdirat(parent, name, e->mode & 0777) < 0)
                return -errno;
        return writer_is_whiteout(&st) ? writer_set_opaque(parent, name) : 0;
}

static int make_file(int parent, const Entry *e, const char *name) {
        int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, e->mode & 0777);

        return fd < 0 ? -errno : fd;
}

static int make_node(int parent, const Entry *e, const char *name) {
        dev_t device = S_ISCHR(e->type) || S_ISBLK(e->type) ? makedev((unsigned) e->major, (unsigned) e->minor) : 0;

        if (S_ISLNK(e->type))
                return symlinkat(e->link, parent, name) < 0 ? -errno : 0;
        return mknodat(parent, name, e->type | 0600, device) < 0 ? -errno : 0;
}

static int set_xattrs(int fd, const Entry *e, Error *reterr) {
        for (size_t i = 0; i < e->n_xattrs; i++) {
                const EntryXattr *x = e->xattrs + i;

                if (S_ISDIR(e->type) && streq(x->name, XATTR_ACL_DEFAULT))
                        continue; /* writer_finish() */
                if (xattr_wanted(x->name) && fsetxattr(fd, x->name, x->value, x->size, 0) < 0)
                        return error_set_errno(reterr, -errno, "cannot set attribute %s of '%.200s'", x->name, e->path);
        }
        return 0;
}

/* Most things are as they should be from their making, and to look is cheaper than to change what is right already. Owner before
 * mode (chown clears set-user-ID) and before attributes (it clears capabilities). */
static int set_metadata_fd(int fd, const Entry *e, Error *reterr) {
        struct stat st;
        bool chowned;

        if (fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at '%.200s'", e->path);
        chowned = st.st_uid != (uid_t) e->uid || st.st_gid != (gid_t) e->gid;
        if (chowned && fchown(fd, (uid_t) e->uid, (gid_t) e->gid) < 0)
                return error_set_errno(reterr, -errno, "cannot set the owner of '%.200s'", e->path);
        if ((chowned || (st.st_mode & 07777) != (e->mode & 07777)) && fchmod(fd, e->mode & 07777) < 0)
                return error_set_errno(reterr, -errno, "cannot set the mode of '%.200s'", e->path);
        return set_xattrs(fd, e, reterr);
}

/* Links, devices and pipes: none of them can carry the attributes that are kept. */
static int set_metadata_at(int parent, const char *name, const Entry *e, Error *reterr) {
        const struct timespec times[2] = { e->mtime, e->mtime };

        if (fchownat(parent, name, (uid_t) e->uid, (gid_t) e->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(reterr, -errno, "cannot set the owner of '%.200s'", e->path);
        if (!S_ISLNK(e->type) && fchmodat(parent, name, e->mode & 07777, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot set the mode of '%.200s'", e->path);
        if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(reterr, -errno, "cannot set the times of '%.200s'", e->path);
        return 0;
}

static int write_directory(Writer *w, int parent, const EntryPath *path, const Entry *e, Error *reterr) {
        _cleanup_close_ int fd = -EBADF;
        int r = 0;

        if (path->name[0])
                r = make_directory(w, parent, e, path->name);
        if (r >= 0) {
                fd = openat(parent, path->name[0] ? path->name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        r = -errno;
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make directory '%.200s'", e->path);
        r = set_metadata_fd(fd, e, reterr);
        if (r < 0)
                return r;
        return writer_remember_directory(w, fd, path, e, reterr);
}

static int write_other(Writer *w, int parent, const EntryPath *path, const Entry *e, Error *reterr) {
        int r;

        r = make_node(parent, e, path->name);
        if (r == -EEXIST) {
                r = writer_make_room(w, parent, path->name);
                if (r >= 0)
                        r = make_node(parent, e, path->name);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make '%.200s'", e->path);
        return set_metadata_at(parent, path->name, e, reterr);
}

/* Owner, mode and attributes come with writer_end(): writing takes capabilities away. */
static int write_file_entry(Writer *w, int parent, const EntryPath *path, const Entry *e, Error *reterr) {
        int fd = make_file(parent, e, path->name), r;

        if (fd == -EEXIST) {
                r = writer_make_room(w, parent, path->name);
                fd = r < 0 ? r : make_file(parent, e, path->name);
        }
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot make file '%.200s'", e->path);
        w->file_path.size = 0;
        r = writer_real_path(w, path->name, &w->file_path);
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        w->file = fd;
        w->file_entry = e;
        w->file_end = 0;
        return 1;
}

static int write_entry(Writer *w, int parent, const EntryPath *path, const Entry *e, Error *reterr) {
        if (e->type == 0)
                return writer_hard_link(w, parent, path, e, reterr);
        if (S_ISDIR(e->type))
                return write_directory(w, parent, path, e, reterr);
        if (S_ISREG(e->type))
                return write_file_entry(w, parent, path, e, reterr);
        return write_other(w, parent, path, e, reterr);
}

int writer_begin(Writer *w, const Entry *entry, Error *reterr) {
        _cleanup_entry_path_ EntryPath path = { 0 };
        const char *whiteout = NULL;
        WhiteoutKind kind;
        int parent, r;

        assert(w->file < 0);
        if (++w->counts.entries > WRITER_ENTRIES_MAX)
                return error_set(reterr, -E2BIG, "the archive has more than %d entries", WRITER_ENTRIES_MAX);
        r = writer_check(entry, reterr);
        if (r < 0)
                return r;
        r = entry_path_parse(entry->path, &path, reterr);
        if (r < 0)
                return r;
        if (!path.name[0] && !S_ISDIR(entry->type))
                return error_set(reterr, -EINVAL, "'%.200s' would replace the root directory", entry->path);
        kind = entry_path_whiteout(&path, &whiteout);
        if (kind == WHITEOUT_IGNORE)
                return 0;
        if (kind == _WHITEOUT_INVALID)
                return error_set(reterr, -EINVAL, "'%.200s' is a whiteout of nothing", entry->path);
        parent = writer_parent(w, &path, reterr);
        if (parent < 0)
                return parent;
        switch (kind) {
        case WHITEOUT_FILE:
                r = writer_whiteout(parent, whiteout);
                break;
        case WHITEOUT_OPAQUE:
                r = writer_set_opaque(parent, ".");
                break;
        case WHITEOUT_NONE:
        case WHITEOUT_IGNORE:
        case _WHITEOUT_MAX:
        case _WHITEOUT_INVALID:
                return write_entry(w, parent, &path, entry, reterr);
        }
        return r < 0 ? error_set_errno(reterr, r, "cannot make whiteout '%.200s'", entry->path) : 0;
}

int writer_data(Writer *w, const void *data, size_t size, uint64_t offset, Error *reterr) {
        const Entry *e = w->file_entry;
        const char *p = data;

        assert(w->file >= 0);
        if (size == 0)
                return 0;
        if (offset > e->size || size > e->size - offset)
                return error_set(reterr, -EBADMSG, "'%.200s' has more data than its size says", e->path);
        for (size_t left = size; left > 0;) {
                ssize_t n = pwrite(w->file, p, left, (off_t) offset);

                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return error_set_errno(reterr, -errno, "cannot write '%.200s'", e->path);
                }
                p += n;
                left -= (size_t) n;
                offset += (uint64_t) n;
        }
        w->counts.bytes += size;
        w->file_end = MAX(w->file_end, offset);
        return 0;
}

const char *writer_file_path(Writer *w) {
        assert(w->file >= 0);
        return w->file_path.size > TAR_RECORD_PATH_MAX ? NULL : w->file_path.data;
}

int writer_end(Writer *w, Error *reterr) {
        const Entry *e = TAKE_PTR(w->file_entry);
        const struct timespec times[2] = { e->mtime, e->mtime };
        int r = 0;

        assert(w->file >= 0);
        /* The end may be a hole. */
        if (w->file_end < e->size && ftruncate(w->file, (off_t) e->size) < 0)
                r = error_set_errno(reterr, -errno, "cannot set the size of '%.200s'", e->path);
        if (r >= 0)
                r = set_metadata_fd(w->file, e, reterr);
        if (r >= 0 && futimens(w->file, times) < 0)
                r = error_set_errno(reterr, -errno, "cannot set the times of '%.200s'", e->path);
        /* Only to begin early: whoever shows the layer makes sure that it is on disk. */
        if (r >= 0 && w->file_end >= WRITER_EARLY_SIZE)
                (void) sync_file_range(w->file, 0, 0, SYNC_FILE_RANGE_WRITE);
        w->file = fd_close(w->file);
        return r;
}
