/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>

#include "image/tar-extended.h"
#include "image/tar-header.h"
#include "image/tar-reader.h"

struct TarReader {
        TarRead read;
        void *userdata;

        /* What is left of the piece that came last. */
        const uint8_t *piece;
        size_t left;
        uint64_t position; /* of piece, in the archive */
        bool ended;

        uint8_t block[TAR_BLOCK];
        TarHeader header;
        TarExtended extended;
        Buf collected; /* of a header that comes before an entry */

        /* What of the entry's content has not been handed out. */
        uint64_t content, padding;
        const char *path;
        bool sparse;
        size_t part;        /* of extended.sparse */
        uint64_t part_done, offset;
};

TarReader *tar_reader_new(TarRead read, void *userdata) {
        TarReader *r = calloc(1, sizeof(*r));

        if (!r)
                return NULL;
        r->read = read;
        r->userdata = userdata;
        return r;
}

TarReader *tar_reader_free(TarReader *r) {
        if (!r)
                return NULL;
        tar_extended_clear(&r->extended);
        buf_clear(&r->collected);
        free(r);
        return NULL;
}

/* 1: there is something in piece; 0: the end. */
static int fetch(TarReader *r, Error *reterr) {
        const void *piece = NULL;
        ssize_t n;

        if (r->left > 0)
                return 1;
        if (r->ended)
                return 0;
        n = r->read(r->userdata, &piece, reterr);
        if (n < 0)
                return (int) n;
        r->piece = piece;
        r->left = (size_t) n;
        r->ended = n == 0;
        return n > 0;
}

static void take(TarReader *r, size_t n) {
        r->piece += n;
        r->left -= n;
        r->position += n;
}

/* Returns how much of size there was. */
static int64_t pass_over(TarReader *r, uint64_t size, Error *reterr) {
        uint64_t done = 0;

        while (done < size) {
                int q = fetch(r, reterr);
                size_t n;

                if (q < 0)
                        return q;
                if (q == 0)
                        break;
                n = (size_t) MIN((uint64_t) r->left, size - done);
                take(r, n);
                done += n;
        }
        return (int64_t) done;
}

static int cut(const TarReader *r, Error *reterr) {
        return error_set(reterr, -EBADMSG, "the archive is broken: it ends in the middle of '%.200s'", r->path);
}

/* To the next header. */
static int finish_content(TarReader *r, Error *reterr) {
        int64_t n = pass_over(r, r->content, reterr);

        if (n < 0)
                return (int) n;
        if ((uint64_t) n < r->content)
                return cut(r, reterr);
        /* umoci 0.4 ends some layers right behind the last file's content, and what is written in Go reads that. */
        n = pass_over(r, r->padding, reterr);
        r->content = r->padding = 0;
        return (int) MIN(n, 0);
}

/* 1: block is filled; 0: there is no more. */
static int read_block(TarReader *r, Error *reterr) {
        size_t have = 0;

        while (have < TAR_BLOCK) {
                int q = fetch(r, reterr);
                size_t n;

                if (q < 0)
                        return q;
                if (q == 0 && have > 0)
                        return error_set(reterr, -EBADMSG, "%s: it ends in the middle of a block",
                                r->position < TAR_BLOCK ? "it is no tar archive" : "the archive is broken");
                if (q == 0)
                        return 0;
                n = MIN(r->left, TAR_BLOCK - have);
                memcpy(r->block + have, r->piece, n);
                take(r, n);
                have += n;
        }
        return 1;
}

/* A block that has to be there. */
static int need_block(TarReader *r, Error *reterr) {
        int q = read_block(r, reterr);

        return q == 0 ? cut(r, reterr) : q;
}

static uint64_t padding_of(uint64_t size) {
        return -size % TAR_BLOCK;
}

/* The content of a header that comes before an entry. */
static int collect(TarReader *r, Error *reterr) {
        uint64_t size = (uint64_t) r->header.size;
        int q = 0;

        if (size > TAR_EXTENDED_MAX)
                return error_set(reterr, -E2BIG, "a header of the archive has %llu bytes, and they end at %u", (unsigned long long) size,
                        TAR_EXTENDED_MAX);
        r->collected.size = 0;
        for (uint64_t done = 0; q >= 0 && done < size; done += TAR_BLOCK) {
                q = need_block(r, reterr);
                if (q >= 0)
                        q = buf_append(&r->collected, r->block, (size_t) MIN(size - done, (uint64_t) TAR_BLOCK));
        }
        return q < 0 ? q : tar_extended_add(&r->extended, r->header.type, r->collected.data, r->collected.size, reterr);
}

static int set_type(TarReader *r, Entry *e, Error *reterr) {
        size_t length = strlen(e->path);
        bool slash = length > 0 && e->path[length - 1] == '/';

        switch (r->header.type) {
        case '1':
                e->type = 0;
                break;
        case '2':
                e->type = S_IFLNK;
                break;
        case '3':
                e->type = S_IFCHR;
                break;
        case '4':
                e->type = S_IFBLK;
                break;
        case '5':
        case 'D': /* GNU's of an incremental archive; a list of what is in it follows */
                e->type = S_IFDIR;
                break;
        case '6':
                e->type = S_IFIFO;
                break;
        case 'A':
                return error_set(reterr, -EBADMSG, "'%.200s' is an access control list of Solaris", e->path);
        case 'M':
                return error_set(reterr, -EBADMSG, "'%.200s' is continued from another archive", e->path);
        case 'V':
                return error_set(reterr, -EBADMSG, "'%.200s' is the name of an archive and has content", e->path);
        case '0':
        case '7':
        case 0:
                /* As V7's tar had it. */
                e->type = slash ? S_IFDIR : S_IFREG;
                break;
        default: /* POSIX has what nobody knows be a file */
                e->type = S_IFREG;
        }
        return 0;
}

/* How much content is in the archive: what a program makes of content where none belongs is its own affair. */
static int set_content(TarReader *r, Entry *e, Error *reterr) {
        const TarExtended *x = &r->extended;
        uint64_t size = x->has_size ? (uint64_t) x->size : (uint64_t) r->header.size;
        bool none = !S_ISREG(e->type) && r->header.type != 'D';

        if (none && size > 0 && (S_ISDIR(e->type) ? r->header.type != '5' : e->type == 0 && x->has_records))
                return error_set(reterr, -EBADMSG, "the archive is broken: '%.200s' is a %s and has content", e->path,
                        e->type == 0 ? "hard link" : "directory");
        r->content = none ? 0 : size;
        r->padding = padding_of(r->content);
        e->size = S_ISREG(e->type) ? size : 0;
        return 0;
}

static int read_old_sparse(TarReader *r, Entry *e, Error *reterr) {
        int q = r->header.gnu ? tar_sparse_add_header(&r->extended.sparse, r->block, &e->size, reterr)
                              : error_set(reterr, -EBADMSG, "the archive is broken: '%.200s' is a sparse file without the sign of GNU tar", e->path);

        while (q > 0) {
                q = need_block(r, reterr);
                if (q >= 0)
                        q = tar_sparse_add_block(&r->extended.sparse, r->block, reterr);
        }
        return q;
}

static int read_sparse_map(TarReader *r, Error *reterr) {
        TarSparseMap map = { 0 };
        int q;

        do {
                if (r->content < TAR_BLOCK)
                        return error_set(reterr, -EBADMSG, "the archive is broken: the map of sparse file '%.200s' does not end", r->path);
                q = need_block(r, reterr);
                if (q < 0)
                        return q;
                r->content -= TAR_BLOCK;
                q = tar_sparse_add_map(&r->extended.sparse, &map, r->block, reterr);
        } while (q > 0);
        return q;
}

/* Where in the file its content belongs. */
static int set_sparse(TarReader *r, Entry *e, Error *reterr) {
        TarExtended *x = &r->extended;
        int q = 0;

        r->sparse = r->header.type == 'S' || x->has_sparse_map || x->sparse_major > 0;
        r->part = 0;
        r->part_done = r->offset = 0;
        if (!r->sparse)
                return 0;
        if (!S_ISREG(e->type) || (r->header.type == 'S' && (x->has_sparse_map || x->sparse_major > 0)) ||
                (x->has_sparse_map && x->sparse_major > 0) || x->sparse_major > 1 || (x->sparse_major == 1 && x->sparse_minor > 0) ||
                (r->header.type != 'S' && !x->has_sparse_size))
                return error_set(reterr, -EBADMSG, "the archive is broken: what kind of sparse file '%.200s' is cannot be known", e->path);
        if (r->header.type == 'S')
                q = read_old_sparse(r, e, reterr);
        else {
                e->size = x->sparse_size;
                if (x->sparse_major == 1)
                        q = read_sparse_map(r, reterr);
        }
        return q < 0 ? q : tar_sparse_check(&x->sparse, e->path, e->size, r->content, reterr);
}

static int set_entry(TarReader *r, Entry *ret, Error *reterr) {
        TarExtended *x = &r->extended;
        const TarHeader *h = &r->header;
        const char *long_name = x->long_name.size > 0 ? x->long_name.data : NULL;
        const char *long_link = x->long_link.size > 0 ? x->long_link.data : NULL;
        int q;

        *ret = (Entry){
                .path = x->sparse_name ? x->sparse_name : x->path ? x->path : long_name ? long_name : h->name,
                .link = x->link ? x->link : long_link ? long_link : h->link,
                .mode = (mode_t) h->mode & 07777,
                .uid = x->has_uid ? x->uid : h->uid,
                .gid = x->has_gid ? x->gid : h->gid,
                .mtime = x->has_mtime ? x->mtime : (struct timespec){ .tv_sec = h->mtime },
                .xattrs = x->xattrs,
                .n_xattrs = x->n_xattrs,
        };
        r->path = ret->path;
        q = set_type(r, ret, reterr);
        if (q >= 0)
                q = set_content(r, ret, reterr);
        if (q >= 0)
                q = set_sparse(r, ret, reterr);
        if (S_ISCHR(ret->type) || S_ISBLK(ret->type)) {
                ret->major = (uint64_t) h->major;
                ret->minor = (uint64_t) h->minor;
        }
        if (ret->type != 0 && !S_ISLNK(ret->type))
                ret->link = NULL;
        return q;
}

static int end(TarReader *r, Error *reterr) {
        if (tar_extended_any(&r->extended))
                return error_set(reterr, -EBADMSG, "the archive is broken: it ends behind a header for an entry that does not come");
        r->ended = true;
        r->left = 0;
        return 0;
}

int tar_reader_next(TarReader *r, Entry *ret, Error *reterr) {
        int q = finish_content(r, reterr);

        if (q < 0)
                return q;
        tar_extended_reset(&r->extended);
        for (;;) {
                q = read_block(r, reterr);
                if (q > 0)
                        q = tar_header_parse(r->block, &r->header, reterr);
                if (q == -EBADMSG && r->position == TAR_BLOCK)
                        (void) error_prefix(reterr, "it is no tar archive");
                if (q == 0)
                        return end(r, reterr);
                if (q < 0)
                        return q;
                r->path = r->header.name;
                if (r->header.type == 'V' && r->header.size == 0) /* GNU's name of the whole archive */
                        continue;
                if (!tar_extended_is(r->header.type))
                        break;
                q = collect(r, reterr);
                if (q < 0)
                        return q;
        }
        q = set_entry(r, ret, reterr);
        return q < 0 ? q : 1;
}

const char *tar_reader_acl(const TarReader *r, AclKind kind) {
        return r->extended.acls[kind];
}

/* At most this much of the piece belongs together, and there in the file. */
static uint64_t locate(TarReader *r, uint64_t *ret_offset) {
        const TarPart *part = r->extended.sparse.parts + r->part;

        if (!r->sparse) {
                *ret_offset = r->offset;
                return r->content;
        }
        while (r->part_done == part->size) {
                part++;
                r->part++;
                r->part_done = 0;
        }
        *ret_offset = part->offset + r->part_done;
        return part->size - r->part_done;
}

int tar_reader_content(TarReader *r, TarContent *ret, Error *reterr) {
        uint64_t most, offset;
        size_t n;
        int q;

        if (r->content == 0)
                return 0;
        q = fetch(r, reterr);
        if (q < 0)
                return q;
        if (q == 0)
                return cut(r, reterr);
        most = locate(r, &offset);
        n = (size_t) MIN((uint64_t) r->left, MIN(most, r->content));
        *ret = (TarContent){ .data = r->piece, .size = n, .offset = offset, .position = r->position };
        take(r, n);
        r->content -= n;
        r->part_done += n;
        r->offset += n;
        return 1;
}
