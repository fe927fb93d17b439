/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/tar-extended.h"
#include "util/strv.h"

#define XATTR_KEY "SCHILY.xattr."

/* Types of headers. */
enum {
        PAX = 'x',
        PAX_SOLARIS = 'X',
        PAX_GLOBAL = 'g',
        LONG_NAME = 'L',
        LONG_LINK = 'K',
};

typedef struct Record {
        char *key, *value; /* both end with a NUL that is not in the archive */
        size_t value_size;
} Record;

static int bad_value(const Record *r, Error *reterr) {
        return error_set(reterr, -EBADMSG, "the archive is broken: pax record '%.60s' has value '%.200s'", r->key, r->value);
}

static int parse_number(const char *text, int64_t *ret) {
        const char *s = text + (*text == '-');
        int64_t n = 0;

        if (!*s)
                return -EBADMSG;
        for (; *s; s++)
                if (*s < '0' || *s > '9' || __builtin_mul_overflow(n, INT64_C(10), &n) || __builtin_add_overflow(n, *s - '0', &n))
                        return -EBADMSG;
        *ret = *text == '-' ? -n : n;
        return 0;
}

int tar_time_parse(const char *text, struct timespec *ret) {
        const char *dot = strchr(text, '.'), *s;
        size_t n = dot ? (size_t) (dot - text) : strlen(text);
        long nanoseconds = 0, unit = 100000000;
        int64_t seconds;
        char whole[24];

        if (n >= sizeof(whole))
                return -EBADMSG;
        memcpy(whole, text, n);
        whole[n] = 0;
        if (parse_number(whole, &seconds) < 0)
                return -EBADMSG;
        for (s = dot ? dot + 1 : ""; *s; s++, unit /= 10) {
                if (*s < '0' || *s > '9')
                        return -EBADMSG;
                nanoseconds += unit * (*s - '0');
        }
        /* Before 1970 the fraction counts from the second before. */
        if (*text == '-' && nanoseconds > 0) {
                if (seconds == INT64_MIN)
                        return -EBADMSG;
                seconds--;
                nanoseconds = 1000000000 - nanoseconds;
        }
        *ret = (struct timespec){ .tv_sec = seconds, .tv_nsec = nanoseconds };
        return 0;
}

/* Of a name: programs that read archives end it at a NUL or refuse it, and an empty one is none or that of the header. */
static int check_name(const Record *r, Error *reterr) {
        if (r->value_size == 0)
                return error_set(reterr, -EBADMSG, "the archive is broken: pax record '%.60s' is empty", r->key);
        if (strlen(r->value) != r->value_size)
                return error_set(reterr, -EBADMSG, "the archive is broken: pax record '%.60s' has a NUL in it", r->key);
        return 0;
}

static int take_name(const Record *r, const char **place, Error *reterr) {
        int q = check_name(r, reterr);

        if (q >= 0)
                *place = r->value;
        return q;
}

static int take_path(TarExtended *x, const Record *r, Error *reterr) {
        return take_name(r, &x->path, reterr);
}

static int take_link(TarExtended *x, const Record *r, Error *reterr) {
        return take_name(r, &x->link, reterr);
}

static int take_sparse_name(TarExtended *x, const Record *r, Error *reterr) {
        return take_name(r, &x->sparse_name, reterr);
}

static int take_number(const Record *r, bool *has, int64_t *place, Error *reterr) {
        if (check_name(r, NULL) < 0 || parse_number(r->value, place) < 0)
                return bad_value(r, reterr);
        *has = true;
        return 0;
}

static int take_size(TarExtended *x, const Record *r, Error *reterr) {
        int q = take_number(r, &x->has_size, &x->size, reterr);

        return q >= 0 && x->size < 0 ? bad_value(r, reterr) : q;
}

static int take_uid(TarExtended *x, const Record *r, Error *reterr) {
        return take_number(r, &x->has_uid, &x->uid, reterr);
}

static int take_gid(TarExtended *x, const Record *r, Error *reterr) {
        return take_number(r, &x->has_gid, &x->gid, reterr);
}

static int take_mtime(TarExtended *x, const Record *r, Error *reterr) {
        if (check_name(r, NULL) < 0 || tar_time_parse(r->value, &x->mtime) < 0)
                return bad_value(r, reterr);
        x->has_mtime = true;
        return 0;
}

static int take_acl_access(TarExtended *x, const Record *r, Error *reterr) {
        return take_name(r, &x->acls[ACL_ACCESS], reterr);
}

static int take_acl_default(TarExtended *x, const Record *r, Error *reterr) {
        return take_name(r, &x->acls[ACL_DEFAULT], reterr);
}

static int take_unsigned(const Record *r, uint64_t *place, Error *reterr) {
        int64_t n;

        if (check_name(r, NULL) < 0 || parse_number(r->value, &n) < 0 || n < 0)
                return bad_value(r, reterr);
        *place = (uint64_t) n;
        return 0;
}

static int take_sparse_major(TarExtended *x, const Record *r, Error *reterr) {
        return take_unsigned(r, &x->sparse_major, reterr);
}

static int take_sparse_minor(TarExtended *x, const Record *r, Error *reterr) {
        return take_unsigned(r, &x->sparse_minor, reterr);
}

static int take_sparse_size(TarExtended *x, const Record *r, Error *reterr) {
        x->has_sparse_size = true;
        return take_unsigned(r, &x->sparse_size, reterr);
}

static int take_sparse_offset(TarExtended *x, const Record *r, Error *reterr) {
        return take_unsigned(r, &x->sparse_offset, reterr);
}

static int take_sparse_part(TarExtended *x, const Record *r, Error *reterr) {
        uint64_t size;
        int q = take_unsigned(r, &size, reterr);

        x->has_sparse_map = true;
        return q < 0 ? q : tar_sparse_add(&x->sparse, x->sparse_offset, size, reterr);
}

static int take_sparse_map(TarExtended *x, const Record *r, Error *reterr) {
        if (check_name(r, NULL) < 0 || x->has_sparse_map)
                return bad_value(r, reterr);
        x->has_sparse_map = true;
        return tar_sparse_add_text(&x->sparse, r->value, reterr);
}

static const struct {
        const char *key;
        int (*take)(TarExtended *x, const Record *r, Error *reterr);
} keys[] = {
        { "GNU.sparse.major",    take_sparse_major  },
        { "GNU.sparse.map",      take_sparse_map    },
        { "GNU.sparse.minor",    take_sparse_minor  },
        { "GNU.sparse.name",     take_sparse_name   },
        { "GNU.sparse.numbytes", take_sparse_part   },
        { "GNU.sparse.offset",   take_sparse_offset },
        { "GNU.sparse.realsize", take_sparse_size   },
        { "GNU.sparse.size",     take_sparse_size   },
        { "SCHILY.acl.access",   take_acl_access    },
        { "SCHILY.acl.default",  take_acl_default   },
        { "gid",                 take_gid           },
        { "linkpath",            take_link          },
        { "mtime",               take_mtime         },
        { "path",                take_path          },
        { "size",                take_size          },
        { "uid",                 take_uid           },
};

/* Of several of one name the last. */
static int take_xattr(TarExtended *x, const Record *r, const char *name, Error *reterr) {
        EntryXattr xattr = { .name = name, .value = r->value, .size = r->value_size };

        /* Some write '=' and '%' of a name like this, and some do not. */
        if (strstr(name, "%3D") || strstr(name, "%25"))
                return error_set(reterr, -EBADMSG, "attribute '%.200s' may have another name than that", name);
        for (size_t i = 0; i < x->n_xattrs; i++)
                if (streq(x->xattrs[i].name, name)) {
                        x->xattrs[i] = xattr;
                        return 0;
                }
        if (x->n_xattrs < ELEMENTSOF(x->xattrs))
                x->xattrs[x->n_xattrs++] = xattr;
        return 0;
}

static int take_record(TarExtended *x, const Record *r, Error *reterr) {
        const char *name = str_after(r->key, XATTR_KEY);

        if (name)
                return take_xattr(x, r, name, reterr);
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(keys[i].key, r->key))
                        return keys[i].take(x, r, reterr);
        return 0;
}

/* For all entries from here on. GNU tar takes them so, others take no notice of any: they may say only what means nothing here. */
static int take_global_record(const Record *r, Error *reterr) {
        bool known = str_after(r->key, XATTR_KEY) != NULL;

        for (size_t i = 0; !known && i < ELEMENTSOF(keys); i++)
                known = streq(keys[i].key, r->key);
        if (!known)
                return 0;
        return error_set(reterr, -EBADMSG, "the archive has pax record '%.60s' for all entries, which not all programs take notice of", r->key);
}

/* "LENGTH KEY=VALUE\n", where the length is that of all of it. */
static int next_record(char **p, char *end, Record *ret, Error *reterr) {
        size_t length = 0, digits = 0, left = (size_t) (end - *p);
        char *s = *p, *equals;

        while (digits < left && digits < 8 && s[digits] >= '0' && s[digits] <= '9')
                length = length * 10 + (size_t) (s[digits++] - '0');
        if (digits == 0 || digits == left || s[digits] != ' ' || length > left || length < digits + 2 || s[length - 1] != '\n')
                return error_set(reterr, -EBADMSG, "the archive is broken: a pax header does not consist of records");
        s[length - 1] = 0;
        equals = memchr(s + digits + 1, '=', length - digits - 2);
        if (!equals || equals == s + digits + 1 || memchr(s + digits + 1, 0, (size_t) (equals - s) - digits - 1))
                return error_set(reterr, -EBADMSG, "the archive is broken: a pax record has no key");
        *equals = 0;
        *ret = (Record){ .key = s + digits + 1, .value = equals + 1, .value_size = (size_t) (s + length - 1 - equals) - 1 };
        *p += length;
        return 0;
}

static int take_records(TarExtended *x, Buf *records, bool global, Error *reterr) {
        char *p = records->data, *end = p + records->size;

        while (p < end) {
                Record record;
                int r = next_record(&p, end, &record, reterr);

                if (r >= 0)
                        r = global ? take_global_record(&record, reterr) : take_record(x, &record, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_global(const char *data, size_t size, Error *reterr) {
        _cleanup_buf_ Buf records = BUF_INIT;
        int r = buf_append(&records, data, size);

        return r < 0 ? r : take_records(NULL, &records, true, reterr);
}

static int add_records(TarExtended *x, const char *data, size_t size, Error *reterr) {
        int r;

        if (x->has_records)
                return error_set(reterr, -EBADMSG, "the archive is broken: two pax headers before one entry");
        x->has_records = true;
        x->records.size = 0;
        r = buf_append(&x->records, data, size);
        return r < 0 ? r : take_records(x, &x->records, false, reterr);
}

/* It ends at the first NUL. Of several the last counts. */
static int add_long(Buf *text, const char *data, size_t size, Error *reterr) {
        text->size = 0;
        if (size == 0 || data[0] == 0)
                return error_set(reterr, -EBADMSG, "the archive is broken: a long name is empty");
        return buf_append(text, data, strnlen(data, size));
}

void tar_extended_reset(TarExtended *x) {
        Buf records = x->records, long_name = x->long_name, long_link = x->long_link;
        TarSparse sparse = x->sparse;

        records.size = long_name.size = long_link.size = 0;
        sparse.n = 0;
        *x = (TarExtended){ .records = records, .long_name = long_name, .long_link = long_link, .sparse = sparse };
}

void tar_extended_clear(TarExtended *x) {
        buf_clear(&x->records);
        buf_clear(&x->long_name);
        buf_clear(&x->long_link);
        tar_sparse_clear(&x->sparse);
}

bool tar_extended_any(const TarExtended *x) {
        return x->has_records || x->long_name.size > 0 || x->long_link.size > 0;
}

bool tar_extended_is(char type) {
        return type == PAX || type == PAX_SOLARIS || type == PAX_GLOBAL || type == LONG_NAME || type == LONG_LINK;
}

int tar_extended_add(TarExtended *x, char type, const char *data, size_t size, Error *reterr) {
        int r;

        switch (type) {
        case PAX_GLOBAL:
                return add_global(data, size, reterr);
        case LONG_NAME:
                r = add_long(&x->long_name, data, size, reterr);
                break;
        case LONG_LINK:
                r = add_long(&x->long_link, data, size, reterr);
                break;
        default:
                r = add_records(x, data, size, reterr);
        }
        if (r < 0)
                return r;
        /* GNU tar takes the one, what is written in Go the other. */
        if ((x->long_name.size > 0 && (x->path || x->sparse_name)) || (x->long_link.size > 0 && x->link))
                return error_set(reterr, -EBADMSG, "the archive is broken: an entry has a long name of GNU's and one of pax");
        return 0;
}
