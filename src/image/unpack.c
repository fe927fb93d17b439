/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/acl-late.h"
#include "image/tar-reader.h"
#include "image/tar-record.h"
#include "image/unpack.h"

typedef struct Unpacker {
        Stream *stream;
        TarReader *reader;
        Writer *writer;
        TarRecord *record; /* or NULL */
        EntryXattr xattrs[WRITER_XATTRS_MAX + 1 + _ACL_KIND_MAX];
        Acl acls[_ACL_KIND_MAX];       /* of the entry */
        Buf acl_values[_ACL_KIND_MAX]; /* attributes point here */
        LateAcls late;
} Unpacker;

static ssize_t read_archive(void *userdata, const void **ret, Error *reterr) {
        Unpacker *u = userdata;
        ssize_t n = u->record ? tar_record_settle(u->record, reterr) : 0;

        if (n >= 0)
                n = stream_read(u->stream, ret, reterr);
        if (n > 0 && u->record)
                tar_record_bytes(u->record, *ret, (size_t) n);
        return n;
}

/* An attribute of the entry's own with that name does not count beside the list. */
static void add_xattr(Unpacker *u, Entry *e, const char *name, const Buf *value) {
        for (size_t i = 0; i < e->n_xattrs; i++)
                if (streq(u->xattrs[i].name, name))
                        u->xattrs[i--] = u->xattrs[--e->n_xattrs];
        u->xattrs[e->n_xattrs++] = (EntryXattr){ .name = name, .value = value->data, .size = value->size };
}

/* Links cannot have any, and a hard link's is that of its file. */
static bool can_have(const Entry *e, AclKind kind) {
        return S_ISDIR(e->type) || (S_ISREG(e->type) && kind == ACL_ACCESS);
}

static int take_acls(Unpacker *u, Entry *e, Error *reterr) {
        memcpy(u->xattrs, e->xattrs, e->n_xattrs * sizeof(*u->xattrs));
        e->xattrs = u->xattrs;
        for (AclKind kind = 0; kind < _ACL_KIND_MAX; kind++) {
                const char *text = tar_reader_acl(u->reader, kind);
                Acl *acl = &u->acls[kind];
                int r;

                acl_clear(acl);
                if (!text || !can_have(e, kind))
                        continue;
                r = acl_parse(text, e->path, acl, reterr);
                if (r < 0)
                        return r;
                if (acl_has_names(acl))
                        continue;
                u->acl_values[kind].size = 0;
                r = acl_encode(acl, &u->acl_values[kind]);
                if (r < 0)
                        return r;
                add_xattr(u, e, acl_attribute(kind), &u->acl_values[kind]);
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

static int record_content(Unpacker *u, uint64_t file_size, const TarContent *c, Error *reterr) {
        TarRecordContent content = {
                .position = c->position,
                .path = u->record ? writer_file_path(u->writer) : NULL,
                .file_size = file_size,
                .offset = c->offset,
                .data = c->data,
                .size = c->size,
        };

        return content.path ? tar_record_content(u->record, &content, reterr) : 0;
}

static int unpack_content(Unpacker *u, uint64_t file_size, Error *reterr) {
        TarContent c;
        int r;

        while ((r = tar_reader_content(u->reader, &c, reterr)) > 0) {
                r = writer_data(u->writer, c.data, c.size, c.offset, reterr);
                if (r >= 0)
                        r = record_content(u, file_size, &c, reterr);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : writer_end(u->writer, reterr);
}

static int unpack_entries(Unpacker *u, Error *reterr) {
        for (;;) {
                Entry e;
                int r = tar_reader_next(u->reader, &e, reterr);

                if (r <= 0)
                        return r;
                r = take_acls(u, &e, reterr);
                if (r >= 0)
                        r = writer_begin(u->writer, &e, reterr);
                if (r > 0)
                        r = unpack_content(u, e.size, reterr);
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

/* What stands behind the end is part of the archive as well. */
static int read_rest(Unpacker *u, Error *reterr) {
        const void *piece;
        ssize_t n;

        while ((n = read_archive(u, &piece, reterr)) > 0)
                ;
        return n >= 0 && u->record ? tar_record_finish(u->record, reterr) : (int) n;
}

static int unpack_all(Unpacker *u, int root, int layer, Error *reterr) {
        int r = writer_new(root, &u->writer, reterr);

        if (r >= 0 && layer >= 0) {
                r = tar_record_new(layer, &u->record, reterr);
                writer_keep_replaced(u->writer, layer, record_replaced, u);
        }
        if (r >= 0)
                r = unpack_entries(u, reterr);
        if (r >= 0)
                r = late_acls_apply(&u->late, root, reterr);
        if (r >= 0)
                r = writer_finish(u->writer, reterr);
        return r < 0 ? r : read_rest(u, reterr);
}

int unpack(Stream *stream, int root, int layer, WriterCounts *ret, Error *reterr) {
        Unpacker *u = calloc(1, sizeof(*u));
        int r = -ENOMEM;

        if (!u)
                return r;
        u->stream = stream;
        u->reader = tar_reader_new(read_archive, u);
        if (u->reader)
                r = unpack_all(u, root, layer, reterr);
        if (r >= 0)
                *ret = writer_counts(u->writer);
        tar_reader_free(u->reader);
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
