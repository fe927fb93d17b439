/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <time.h>

#include "image/acl-late.h"
#include "image/tar-record.h"
#include "image/unpack.h"

typedef struct Unpacker {
        Stream *stream;
        struct archive *archive;
        Writer *writer;
        TarRecord *record; /* or NULL */
        EntryXattr xattrs[WRITER_XATTRS_MAX + 1 + _ACL_KIND_MAX];
        Acl acls[_ACL_KIND_MAX];       /* of the entry */
        Buf acl_values[_ACL_KIND_MAX]; /* attributes point here */
        LateAcls late;
        Error error; /* of the stream, behind libarchive's back */
        uint64_t position; /* in the archive */
        bool in_data; /* of a file, not behind them */
} Unpacker;

#define TAR_BLOCK 512

/* How much of the archive libarchive is done with: the block that it handed out last does not count. */
static uint64_t consumed(const Unpacker *u) {
        la_int64_t n = archive_filter_bytes(u->archive, 0);

        return n > 0 ? (uint64_t) n : 0;
}

static la_ssize_t read_unpacked(struct archive *a, void *userdata, const void **ret) {
        Unpacker *u = userdata;
        ssize_t n = u->record ? tar_record_settle(u->record, consumed(u), &u->error) : 0;

        if (n >= 0)
                n = stream_read(u->stream, ret, &u->error);
        if (n > 0 && u->record)
                tar_record_bytes(u->record, *ret, (size_t) n);
        if (n < 0) {
                if (u->error.code == 0)
                        (void) error_set_errno(&u->error, (int) n, "cannot read the archive");
                archive_set_error(a, (int) -n, "%s", u->error.text);
                return ARCHIVE_FATAL;
        }
        /* umoci 0.4 ends some layers right behind the last file's data, and what is written in Go reads that. */
        if (n == 0 && !u->in_data && u->position % TAR_BLOCK != 0) {
                static const char padding[TAR_BLOCK];

                *ret = padding;
                n = TAR_BLOCK - (ssize_t) (u->position % TAR_BLOCK);
        }
        u->position += (uint64_t) n;
        return n;
}

static int fail(Unpacker *u, Error *reterr) {
        const char *text = archive_error_string(u->archive);

        if (u->error.code < 0) {
                if (reterr)
                        *reterr = u->error;
                return u->error.code;
        }
        return error_set(reterr, archive_errno(u->archive) == ENOMEM ? -ENOMEM : -EBADMSG, "the archive is broken: %s",
                text ? text : "unknown reason");
}

/* Names are bytes here. In the C locale libarchive says of each that is not ASCII that it cannot convert it, and
 * hands it over unchanged; in a UTF-8 locale it would quietly compose decomposed characters. */
static bool only_unconverted(const char *warning) {
        return warning && strstr(warning, "can't be converted");
}

/* libarchive leaves out what it does not understand of an access control list, and returns ARCHIVE_OK; this is all it says. */
static bool acl_cut(const char *warning) {
        return warning && strstr(warning, "SCHILY.acl");
}

static mode_t entry_type(struct archive_entry *ae) {
        return archive_entry_hardlink(ae) ? 0 : archive_entry_filetype(ae);
}

static void take_xattrs(Unpacker *u, struct archive_entry *ae, Entry *e) {
        e->xattrs = u->xattrs;
        e->n_xattrs = 0;
        (void) archive_entry_xattr_reset(ae);
        /* One more than the limit is taken, so that the writer sees that there are too many. */
        while (e->n_xattrs < WRITER_XATTRS_MAX + 1) {
                EntryXattr *x = u->xattrs + e->n_xattrs;

                if (archive_entry_xattr_next(ae, &x->name, &x->value, &x->size) != ARCHIVE_OK)
                        break;
                e->n_xattrs++;
        }
}

/* Links cannot have any, and a hard link's is that of its file. */
static int take_acls(Unpacker *u, struct archive_entry *ae, Entry *e, Error *reterr) {
        for (AclKind kind = 0; kind < _ACL_KIND_MAX; kind++) {
                Acl *acl = &u->acls[kind];
                int r;

                acl_clear(acl);
                if (!e->path || !(S_ISREG(e->type) || S_ISDIR(e->type)))
                        continue;
                r = acl_take(ae, kind, e->path, acl, reterr);
                if (r < 0)
                        return r;
                if (acl->n == 0 || acl_has_names(acl))
                        continue;
                u->acl_values[kind].size = 0;
                r = acl_encode(acl, &u->acl_values[kind]);
                if (r < 0)
                        return r;
                u->xattrs[e->n_xattrs++] = (EntryXattr){
                        .name = acl_attribute(kind), .value = u->acl_values[kind].data, .size = u->acl_values[kind].size
                };
        }
        return 0;
}

static int keep_acls(Unpacker *u, const Entry *e, Error *reterr) {
        for (AclKind kind = 0; kind < _ACL_KIND_MAX; kind++) {
                int r = acl_has_names(&u->acls[kind]) ? late_acls_add(&u->late, e->path, kind, &u->acls[kind], reterr) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_entry(Unpacker *u, struct archive_entry *ae, Entry *e, Error *reterr) {
        long nanoseconds = archive_entry_mtime_nsec(ae);

        *e = (Entry){
                .path = archive_entry_pathname(ae),
                .type = entry_type(ae),
                .mode = archive_entry_perm(ae),
                .uid = archive_entry_uid(ae),
                .gid = archive_entry_gid(ae),
                .mtime = {
                        .tv_sec = archive_entry_mtime(ae),
                        .tv_nsec = nanoseconds >= 0 && nanoseconds < 1000000000L ? nanoseconds : 0,
                },
        };
        if (e->type == 0)
                e->link = archive_entry_hardlink(ae);
        else if (S_ISLNK(e->type))
                e->link = archive_entry_symlink(ae);
        else if (S_ISREG(e->type))
                e->size = archive_entry_size(ae) > 0 ? (uint64_t) archive_entry_size(ae) : 0;
        else if (S_ISCHR(e->type) || S_ISBLK(e->type)) {
                e->major = archive_entry_rdevmajor(ae);
                e->minor = archive_entry_rdevminor(ae);
        }
        take_xattrs(u, ae, e);
        return take_acls(u, ae, e, reterr);
}

static int record_data(Unpacker *u, uint64_t file_size, const void *data, size_t size, uint64_t offset, Error *reterr) {
        TarRecordContent content = {
                .position = consumed(u),
                .path = u->record ? writer_file_path(u->writer) : NULL,
                .file_size = file_size,
                .offset = offset,
                .data = data,
                .size = size,
        };

        return content.path ? tar_record_content(u->record, &content, reterr) : 0;
}

static int unpack_data(Unpacker *u, uint64_t file_size, Error *reterr) {
        const void *data;
        size_t size;
        la_int64_t offset;
        int r;

        u->in_data = file_size > 0;
        while ((r = archive_read_data_block(u->archive, &data, &size, &offset)) == ARCHIVE_OK) {
                r = offset < 0 ? error_set(reterr, -EBADMSG, "the archive is broken: negative offset")
                               : writer_data(u->writer, data, size, (uint64_t) offset, reterr);
                if (r >= 0)
                        r = record_data(u, file_size, data, size, (uint64_t) offset, reterr);
                if (r < 0)
                        return r;
                u->in_data = (uint64_t) offset + size < file_size;
        }
        u->in_data = false;
        return r == ARCHIVE_EOF ? writer_end(u->writer, reterr) : fail(u, reterr);
}

static int unpack_entries(Unpacker *u, Error *reterr) {
        for (;;) {
                struct archive_entry *ae;
                Entry e;
                int r = archive_read_next_header(u->archive, &ae);

                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK && !(r == ARCHIVE_WARN && only_unconverted(archive_error_string(u->archive))))
                        return fail(u, reterr);
                if (acl_cut(archive_error_string(u->archive)))
                        return fail(u, reterr);
                r = take_entry(u, ae, &e, reterr);
                if (r >= 0)
                        r = writer_begin(u->writer, &e, reterr);
                if (r > 0)
                        r = unpack_data(u, e.size, reterr);
                if (r >= 0)
                        r = keep_acls(u, &e, reterr);
                if (r < 0)
                        return r;
        }
}

static int record_replaced(void *userdata, const char *path, unsigned number) {
        Unpacker *u = userdata;

        return tar_record_replaced(u->record, path, number, NULL);
}

/* What libarchive does not look at is part of the archive as well. */
static int read_rest(Unpacker *u, Error *reterr) {
        const void *piece;
        ssize_t n = 1;
        int r = 0;

        while (n > 0) {
                if (u->record)
                        r = tar_record_settle(u->record, UINT64_MAX, reterr);
                n = r < 0 ? r : stream_read(u->stream, &piece, reterr);
                if (n > 0 && u->record)
                        tar_record_bytes(u->record, piece, (size_t) n);
        }
        return n >= 0 && u->record ? tar_record_finish(u->record, reterr) : (int) n;
}

static int open_archive(Unpacker *u, Error *reterr) {
        u->archive = archive_read_new();
        if (!u->archive)
                return -ENOMEM;
        if (archive_read_support_format_tar(u->archive) != ARCHIVE_OK ||
                archive_read_support_format_empty(u->archive) != ARCHIVE_OK ||
                archive_read_open(u->archive, u, NULL, read_unpacked, NULL) != ARCHIVE_OK)
                return fail(u, reterr);
        return 0;
}

static int unpack_in_locale(Unpacker *u, int root, int layer, Error *reterr) {
        int r = writer_new(root, &u->writer, reterr);

        if (r >= 0 && layer >= 0) {
                r = tar_record_new(layer, &u->record, reterr);
                writer_keep_replaced(u->writer, layer, record_replaced, u);
        }
        if (r >= 0)
                r = open_archive(u, reterr);
        if (r >= 0)
                r = unpack_entries(u, reterr);
        if (r >= 0)
                r = late_acls_apply(&u->late, root, reterr);
        if (r >= 0)
                r = writer_finish(u->writer, reterr);
        return r < 0 ? r : read_rest(u, reterr);
}

int unpack(Stream *stream, int root, int layer, WriterCounts *ret, Error *reterr) {
        locale_t bytes = newlocale(LC_ALL_MASK, "C", (locale_t) 0), old;
        Unpacker *u = calloc(1, sizeof(*u));
        int r;

        if (!u || !bytes) {
                free(u);
                if (bytes)
                        freelocale(bytes);
                return -ENOMEM;
        }
        u->stream = stream;
        old = uselocale(bytes);
        r = unpack_in_locale(u, root, layer, reterr);
        (void) archive_read_free(u->archive);
        (void) uselocale(old);
        freelocale(bytes);
        if (r >= 0)
                *ret = writer_counts(u->writer);
        writer_free(u->writer);
        tar_record_free(u->record);
        for (AclKind kind = 0; kind < _ACL_KIND_MAX; kind++) {
                acl_clear(&u->acls[kind]);
                buf_clear(&u->acl_values[kind]);
        }
        late_acls_clear(&u->late);
        free(u);
        return r;
}
