/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "image/find.h"
#include "image/name.h"
#include "util/fd.h"
#include "util/strv.h"

#define NAME_RECORD_SIZE_MAX 4096
#define ID_PREFIX_MIN 4 /* shorter starts of an id are more likely a mistyped name */

/* One of the lines "image sha256:HEX", "manifest sha256:HEX" and "digest sha256:HEX" at *p. */
static bool record_line(const char **p, const char *key, char digest[static 72]) {
        const char *value = str_after(*p, key);

        if (!value || strlen(value) <= DIGEST_LENGTH || value[DIGEST_LENGTH] != '\n')
                return false;
        memcpy(digest, value, DIGEST_LENGTH);
        digest[DIGEST_LENGTH] = 0;
        *p = value + DIGEST_LENGTH + 1;
        return digest_valid(digest);
}

int name_record_read(int store, const char *file, NameRecord *ret) {
        _cleanup_free_ char *text = NULL;
        char path[sizeof("name/") + NAME_MAX];
        const char *p;
        NameRecord record;
        int r;

        if (strlen(file) > NAME_MAX)
                return -ENAMETOOLONG;
        (void) snprintf(path, sizeof(path), "name/%s", file);
        r = read_file(store, path, NAME_RECORD_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        p = text;
        if (!record_line(&p, "image ", record.id) || !record_line(&p, "manifest ", record.manifest))
                return -EBADMSG;
        if (!record_line(&p, "digest ", record.digest))
                memcpy(record.digest, record.manifest, sizeof(record.digest));
        *ret = record;
        return 0;
}

/* 1 found, 0 not there. */
static int find_full(int store, const char *full, Found *ret) {
        _cleanup_free_ char *file = name_to_file(full);
        NameRecord record;
        int r;

        if (!file)
                return -ENOMEM;
        r = name_record_read(store, file, &record);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        ret->name = strdup(full);
        if (!ret->name)
                return -ENOMEM;
        memcpy(ret->id, record.id, sizeof(ret->id));
        memcpy(ret->manifest, record.manifest, sizeof(ret->manifest));
        return 1;
}

/* How much of a full name is its repository. */
static size_t repository_length(const char *full) {
        const char *at = strchr(full, '@'), *slash, *colon;

        if (at)
                return (size_t) (at - full);
        slash = strrchr(full, '/');
        colon = strrchr(slash ? slash : full, ':');
        return colon ? (size_t) (colon - full) : strlen(full);
}

/* full is the name of an image that goes by repository, or with any by any other repository that ends in it. */
static bool repository_fits(const char *full, const char *repository, bool any) {
        size_t n = repository_length(full), m = strlen(repository);

        if (!any)
                return n == m && strncmp(full, repository, n) == 0;
        return n > m && full[n - m - 1] == '/' && strncmp(full + n - m, repository, m) == 0;
}

/* REPOSITORY@DIGEST: any name of the repository will do whose digest that is, the manifest's or that of the index it stands in. */
static bool record_fits(const char *full, const NameRecord *record, const Name *name) {
        const char *end = full + repository_length(full);

        if (name->digest) /* then the tag beside it says nothing, as with Docker */
                return streq(record->manifest, name->digest) || streq(record->digest, name->digest);
        return *end == ':' && streq(end + 1, name->tag);
}

/* 1 found, 0 none; -ENOTUNIQ with any, when names of several images fit. */
static int find_by_search(int store, const Name *name, const char *repository, bool any, Found *ret) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(store, "name", &d);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (struct dirent *entry; (entry = readdir(d));) {
                _cleanup_free_ char *full = NULL;
                NameRecord record;

                if (entry->d_name[0] == '.')
                        continue;
                full = name_from_file(entry->d_name);
                if (!full)
                        return -ENOMEM;
                if (!repository_fits(full, repository, any) || name_record_read(store, entry->d_name, &record) < 0 ||
                        !record_fits(full, &record, name))
                        continue;
                if (r > 0 && !streq(ret->id, record.id)) {
                        free(TAKE_PTR(ret->name));
                        return -ENOTUNIQ;
                }
                if (r > 0)
                        continue;
                r = find_full(store, full, ret);
                if (r < 0 || (r > 0 && !any))
                        return r;
        }
        return r;
}

/* 1 found, 0 none, -ENOTUNIQ. */
static int find_by_id(int store, const char *hex, Found *ret) {
        size_t n = strlen(hex);
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(store, "image", &d);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (struct dirent *entry; r >= 0 && (entry = readdir(d));) {
                if (strlen(entry->d_name) != DIGEST_HEX_LENGTH || strncmp(entry->d_name, hex, n) != 0)
                        continue;
                if (r > 0)
                        return -ENOTUNIQ;
                (void) snprintf(ret->id, sizeof(ret->id), "sha256:%.64s", entry->d_name);
                if (!digest_valid(ret->id))
                        continue;
                ret->manifest[0] = 0;
                r = 1;
        }
        return r;
}

/* A short name is looked for as an image that was made here, then as Docker's, then under any registry. */
static int find_by_name(int store, const char *text, Found *ret, Error *reterr) {
        bool short_name = !name_has_registry(text);
        int r = 0;

        for (int kind = short_name ? NAME_LOCAL : NAME_DOCKER; r == 0 && kind >= 0;
                kind = short_name && kind == NAME_LOCAL ? NAME_DOCKER : -1) {
                _cleanup_name_ Name name = { 0 };

                r = name_parse(text, (NameDefault) kind, &name, reterr);
                if (r < 0)
                        return r;
                r = name.digest ? find_by_search(store, &name, name.repository, false, ret) : find_full(store, name.full, ret);
                if (r == 0 && short_name && kind == NAME_DOCKER)
                        r = find_by_search(store, &name, str_after(name.repository, strchr(text, '/') ? "docker.io/" : "docker.io/library/"),
                                true, ret);
                if (r == -ENOTUNIQ)
                        return error_set(reterr, r, "'%s' may be any of several images in the store; write it with its registry", text);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot look up image '%s'", text);
        }
        return r;
}

int image_find(int store, const char *text, Found *ret, Error *reterr) {
        Error unnamed = { 0 };
        const char *hex = digest_hex(text);
        Found found = { 0 };
        bool prefix;
        int r = 0;

        if (!hex) {
                r = find_by_name(store, text, &found, &unnamed);
                hex = text;
        }
        prefix = strspn(hex, "0123456789abcdef") == strlen(hex) && strlen(hex) >= ID_PREFIX_MIN &&
                strlen(hex) <= DIGEST_HEX_LENGTH;
        if ((r == 0 || r == -EINVAL) && prefix) {
                int q = find_by_id(store, hex, &found);

                if (q == -ENOTUNIQ)
                        return error_set(reterr, q, "more than one image has an id that begins with '%s'", hex);
                if (q < 0)
                        return error_set_errno(reterr, q, "cannot look up image '%s'", text);
                if (q > 0)
                        r = q;
        }
        if (r < 0)
                return error_set(reterr, r, "%s", unnamed.code ? unnamed.text : "out of memory");
        if (r == 0)
                return error_set(reterr, -ENOENT, "image '%s' is not in the store", text);
        *ret = found;
        return 0;
}
