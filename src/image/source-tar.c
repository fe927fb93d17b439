/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/path.h"
#include "image/source-tar.h"
#include "image/source.h"
#include "util/buf.h"
#include "util/fd.h"

typedef struct Member {
        char *name; /* without "./" and leading slashes */
        char *link; /* the name it stands for; NULL: a regular file */
        int64_t header;
        uint64_t size;
} Member;

struct TarSource {
        char *path;
        int fd;
        Member *members;
        size_t n_members, room;
};

/* One libarchive reader over the file, from any header on. */
typedef struct TarReader {
        struct archive *archive;
        int fd;
        int64_t start, position;
        char buffer[BLOB_CHUNK];
        /* As a blob. */
        uint64_t expected;
} TarReader;

TarSource *tar_source_free(TarSource *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_members; i++) {
                free(s->members[i].name);
                free(s->members[i].link);
        }
        free(s->members);
        free(s->path);
        fd_close(s->fd);
        free(s);
        return NULL;
}

static la_ssize_t reader_read(struct archive *a, void *userdata, const void **ret) {
        TarReader *r = userdata;
        ssize_t n;

        do
                n = pread(r->fd, r->buffer, sizeof(r->buffer), r->start + r->position);
        while (n < 0 && errno == EINTR);
        if (n < 0) {
                archive_set_error(a, errno, "%s", strerror(errno));
                return ARCHIVE_FATAL;
        }
        *ret = r->buffer;
        r->position += n;
        return n;
}

static la_int64_t reader_skip(struct archive *a, void *userdata, la_int64_t request) {
        TarReader *r = userdata;
        struct stat st;

        /* Never past the end: a member that claims more than there is must be seen as cut off. */
        if (request <= 0 || fstat(r->fd, &st) < 0 || r->start + r->position >= st.st_size)
                return 0;
        request = MIN(request, (la_int64_t) st.st_size - r->start - r->position);
        r->position += request;
        return request;
}

static void reader_free(void *userdata) {
        TarReader *r = userdata;

        if (!r)
                return;
        (void) archive_read_free(r->archive);
        free(r);
}

static int reader_new(int fd, int64_t start, TarReader **ret) {
        TarReader *r = calloc(1, sizeof(*r));

        if (!r)
                return -ENOMEM;
        r->fd = fd;
        r->start = start;
        r->archive = archive_read_new();
        if (!r->archive || archive_read_support_format_tar(r->archive) != ARCHIVE_OK ||
                archive_read_set_read_callback(r->archive, reader_read) != ARCHIVE_OK ||
                archive_read_set_skip_callback(r->archive, reader_skip) != ARCHIVE_OK ||
                archive_read_set_callback_data(r->archive, r) != ARCHIVE_OK) {
                reader_free(r);
                return -ENOMEM;
        }
        *ret = r;
        return 0;
}

static int broken(const TarSource *s, TarReader *r, Error *reterr) {
        const char *text = archive_error_string(r->archive);

        return error_set(reterr, -EBADMSG, "%s is not a tar archive, or broken: %s", s->path, text ? text : "unknown reason");
}

/* "a/./b" of ".." and the like as one plain path from the root of the archive; NULL where it leads out of it. */
static char *resolve(const char *base, const char *path) {
        const char *slash = strrchr(base, '/');
        _cleanup_buf_ Buf b = BUF_INIT;

        if (*path != '/' && slash && buf_append(&b, base, (size_t) (slash - base)) < 0)
                return NULL;
        for (const char *p = path; *p; p += strcspn(p, "/"), p += strspn(p, "/")) {
                size_t n = strcspn(p, "/");

                if (n == 0 || (n == 1 && p[0] == '.'))
                        continue;
                if (n == 2 && p[0] == '.' && p[1] == '.') {
                        char *last = b.data && b.size ? strrchr(b.data, '/') : NULL;

                        if (b.size == 0)
                                return NULL;
                        b.size = last ? (size_t) (last - b.data) : 0;
                        b.data[b.size] = 0;
                        continue;
                }
                if ((b.size > 0 && buf_putc(&b, '/') < 0) || buf_append(&b, p, n) < 0)
                        return NULL;
        }
        return buf_steal(&b);
}

static int add_member(TarSource *s, struct archive_entry *entry, int64_t header, Error *reterr) {
        const char *path = archive_entry_pathname(entry), *link = archive_entry_hardlink(entry);
        mode_t type = archive_entry_filetype(entry);
        Member m = { .header = header };

        if (!path || (!link && type != AE_IFREG && type != AE_IFLNK))
                return 0;
        if (s->n_members >= SOURCE_MEMBERS_MAX)
                return error_set(reterr, -E2BIG, "%s has more than %d files", s->path, SOURCE_MEMBERS_MAX);
        if (s->n_members >= s->room) {
                size_t room = MAX(s->room * 2, (size_t) 64);
                Member *p = reallocarray(s->members, room, sizeof(*p));

                if (!p)
                        return -ENOMEM;
                s->members = p;
                s->room = room;
        }
        m.name = resolve("", path);
        if (!m.name)
                return 0; /* nothing that anybody asks for */
        if (link)
                m.link = resolve("", link);
        else if (type == AE_IFLNK) {
                const char *target = archive_entry_symlink(entry);

                m.link = target ? resolve(m.name, target) : NULL;
        } else
                m.size = archive_entry_size(entry) > 0 ? (uint64_t) archive_entry_size(entry) : 0;
        if (!m.link && (link || type == AE_IFLNK)) {
                free(m.name);
                return 0;
        }
        s->members[s->n_members++] = m;
        return 0;
}

static int scan(TarSource *s, TarReader *reader, Error *reterr) {
        int r;

        if (archive_read_open1(reader->archive) != ARCHIVE_OK)
                return broken(s, reader, reterr);
        for (;;) {
                struct archive_entry *entry;

                r = archive_read_next_header(reader->archive, &entry);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                        return broken(s, reader, reterr);
                r = add_member(s, entry, archive_read_header_position(reader->archive), reterr);
                if (r < 0)
                        return r;
        }
}

int tar_source_open(const char *path, int fd, TarSource **ret, Error *reterr) {
        _cleanup_tar_source_ TarSource *s = calloc(1, sizeof(*s));
        TarReader *reader;
        int r;

        if (!s)
                return -ENOMEM;
        s->fd = -EBADF;
        s->path = strdup(path);
        if (!s->path)
                return -ENOMEM;
        r = reader_new(fd, 0, &reader);
        if (r < 0)
                return r;
        r = scan(s, reader, reterr);
        reader_free(reader);
        if (r < 0)
                return r;
        s->fd = fd;
        *ret = TAKE_PTR(s);
        return 0;
}

/* The last of a name counts, as tar would have it. */
static const Member *find_member(const TarSource *s, const char *name) {
        for (unsigned links = 0; links <= SOURCE_LINKS_MAX; links++) {
                const Member *m = NULL;

                for (size_t i = s->n_members; i > 0 && !m; i--)
                        if (streq(s->members[i - 1].name, name))
                                m = s->members + i - 1;
                if (!m || !m->link)
                        return m;
                name = m->link;
        }
        return NULL;
}

static ssize_t member_read(void *userdata, const void **ret, Error *reterr) {
        TarReader *reader = userdata;
        la_int64_t offset = 0;
        size_t size = 0;
        int r;

        do
                r = archive_read_data_block(reader->archive, ret, &size, &offset);
        while (r == ARCHIVE_OK && size == 0);
        if (r == ARCHIVE_EOF)
                return 0;
        if (r != ARCHIVE_OK)
                return error_set(reterr, -EBADMSG, "the archive is broken");
        if (offset < 0 || (uint64_t) offset != reader->expected)
                return error_set(reterr, -EBADMSG, "it is stored as a sparse file");
        reader->expected += size;
        return (ssize_t) size;
}

int tar_source_blob(TarSource *s, const char *name, Blob **ret, uint64_t *ret_size, Error *reterr) {
        _cleanup_free_ char *plain = resolve("", name);
        struct archive_entry *entry;
        const Member *m;
        TarReader *reader;
        int r;

        m = plain ? find_member(s, plain) : NULL;
        if (!m)
                return -ENOENT;
        r = reader_new(s->fd, m->header, &reader);
        if (r < 0)
                return r;
        if (archive_read_open1(reader->archive) != ARCHIVE_OK ||
                archive_read_next_header(reader->archive, &entry) < ARCHIVE_WARN) {
                r = broken(s, reader, reterr);
                reader_free(reader);
                return r;
        }
        *ret = blob_new(name, member_read, reader_free, reader);
        if (!*ret)
                return -ENOMEM;
        if (ret_size)
                *ret_size = m->size;
        return 0;
}
