/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "image/image.h"
#include "run/fields.h"
#include "run/release.h"
#include "run/spec-copy.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

#define RECORD_SIZE_MAX (64U * 1024)
#define NEW_NAME ".new" /* one that is being made */

static const Field record_fields[] = {
        { "number",  FIELD_UNSIGNED, offsetof(ReleaseRecord, number)    },
        { "equals",  FIELD_UNSIGNED, offsetof(ReleaseRecord, equals)    },
        { "made",    FIELD_U64,      offsetof(ReleaseRecord, made_usec) },
        { "author",  FIELD_STRING,   offsetof(ReleaseRecord, author)    },
        { "means",   FIELD_STRING,   offsetof(ReleaseRecord, means)     },
        { "reason",  FIELD_STRING,   offsetof(ReleaseRecord, reason)    },
        { "images",  FIELD_STRING,   offsetof(ReleaseRecord, images)    },
        { "fate",    FIELD_STRING,   offsetof(ReleaseRecord, fate)      },
        { "message", FIELD_STRING,   offsetof(ReleaseRecord, message)   },
        { "prepared", FIELD_UNSIGNED, offsetof(ReleaseRecord, prepared) },
};

void release_record_clear(ReleaseRecord *r) {
        fields_clear(r, record_fields, ELEMENTSOF(record_fields));
        *r = (ReleaseRecord){ 0 };
}

void releases_free(ReleaseRecord *records, size_t n) {
        for (size_t i = 0; i < n; i++)
                release_record_clear(&records[i]);
        free(records);
}

/* number 0: the directory of all of them. */
static char *path_of(const char *app, unsigned number, const char *file) {
        return number == 0 ? str_format(BERTH_APP_DIR "/%s/release%s", app, file) :
                             str_format(BERTH_APP_DIR "/%s/release/%u%s", app, number, file);
}

char *release_holder(const char *app, unsigned number) {
        return str_format("%s@v%u", app, number);
}

int release_read(const char *app, unsigned number, ReleaseRecord *ret) {
        _cleanup_free_ char *path = path_of(app, number, "/record"), *text = NULL;
        _cleanup_release_record_ ReleaseRecord record = { 0 };
        char *rest, *key, *value;
        int r;

        if (!path)
                return -ENOMEM;
        r = read_file(AT_FDCWD, path, RECORD_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        rest = text;
        while ((r = fields_line(&rest, &key, &value)) > 0) {
                r = fields_set(&record, record_fields, ELEMENTSOF(record_fields), key, value);
                if (r < 0)
                        return r;
        }
        if (r >= 0 && record.number != number)
                r = -EBADMSG;
        if (r >= 0)
                r = fields_complete(&record, record_fields, ELEMENTSOF(record_fields));
        if (r < 0)
                return r;
        *ret = record;
        record = (ReleaseRecord){ 0 };
        return 0;
}

static int compare_numbers(const void *a, const void *b) {
        const unsigned *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static int numbers_read(const char *app, unsigned **ret, size_t *ret_n) {
        _cleanup_free_ char *path = path_of(app, 0, "");
        _cleanup_closedir_ DIR *d = NULL;
        unsigned *numbers = NULL;
        size_t n = 0;
        int r = path ? dir_open(AT_FDCWD, path, &d) : -ENOMEM;

        for (struct dirent *entry; r >= 0 && (entry = readdir(d));) {
                unsigned number, *more;
                char end;

                if (sscanf(entry->d_name, "%9u%c", &number, &end) != 1 || number == 0)
                        continue;
                more = reallocarray(numbers, n + 1, sizeof(*numbers));
                if (!more)
                        r = -ENOMEM;
                else {
                        numbers = more;
                        numbers[n++] = number;
                }
        }
        if (r < 0 && r != -ENOENT) {
                free(numbers);
                return r;
        }
        if (n > 0)
                qsort(numbers, n, sizeof(*numbers), compare_numbers);
        *ret = numbers;
        *ret_n = n;
        return 0;
}

int releases_read(const char *app, ReleaseRecord **ret, size_t *ret_n) {
        _cleanup_free_ unsigned *numbers = NULL;
        ReleaseRecord *records;
        size_t n, kept = 0;
        int r;

        r = numbers_read(app, &numbers, &n);
        if (r < 0)
                return r;
        records = calloc(n + 1, sizeof(*records));
        if (!records)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                r = release_read(app, numbers[i], &records[kept]);
                if (r == -ENOMEM) {
                        releases_free(records, kept);
                        return r;
                }
                kept += r >= 0;
        }
        *ret = records;
        *ret_n = kept;
        return 0;
}

int release_image(const ReleaseRecord *r, const char *process, char ret[static RELEASE_IMAGE_ID_SIZE]) {
        _cleanup_free_ char *copy = strdup(r->images);
        char *rest = copy, *word;

        if (!copy)
                return -ENOMEM;
        while ((word = strsep(&rest, " "))) {
                char *equals = strchr(word, '=');

                if (!equals)
                        continue;
                *equals = 0;
                if (streq(word, process ? process : "") && strlen(equals + 1) < RELEASE_IMAGE_ID_SIZE) {
                        strcpy(ret, equals + 1);
                        return 0;
                }
        }
        return -ENOENT;
}

int release_spec(const char *app, unsigned number, Spec **ret) {
        _cleanup_free_ char *path = path_of(app, number, "/spec");

        return path ? spec_copy_load(app, path, ret) : -ENOMEM;
}

int release_content(const char *app, unsigned number, char **ret) {
        _cleanup_free_ char *path = path_of(app, number, "/content");

        return path ? read_file(AT_FDCWD, path, RELEASE_CONTENT_MAX, ret, NULL) : -ENOMEM;
}

static int record_write(const char *path, const ReleaseRecord *r) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int q = fields_put(&b, r, record_fields, ELEMENTSOF(record_fields));

        return q < 0 ? q : write_file(AT_FDCWD, path, b.data, b.size, 0600, true);
}

static int number_next(const char *app, unsigned *ret) {
        _cleanup_free_ unsigned *numbers = NULL;
        size_t n;
        int r = numbers_read(app, &numbers, &n);

        if (r >= 0)
                *ret = n > 0 ? numbers[n - 1] + 1 : 1;
        return r;
}

static int directory_fill(const char *directory, const ReleaseRecord *r, const Spec *spec, const char *content, Error *reterr) {
        _cleanup_free_ char *copy = str_format("%s/spec", directory), *text = str_format("%s/content", directory),
                            *record = str_format("%s/record", directory);
        int q;

        if (!copy || !text || !record)
                return -ENOMEM;
        q = spec_copy_store(spec, copy, reterr);
        if (q >= 0)
                q = write_file(AT_FDCWD, text, content, strlen(content), 0600, true);
        return q < 0 ? q : record_write(record, r);
}

static int sync_directory(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int release_make(const char *app, ReleaseRecord *r, const Spec *spec, const char *content, Error *reterr) {
        _cleanup_free_ char *all = path_of(app, 0, ""), *new = path_of(app, 0, "/" NEW_NAME), *path = NULL;
        int q;

        if (!all || !new)
                return -ENOMEM;
        free(r->fate);
        r->fate = strdup(RELEASE_NEW);
        q = r->fate ? number_next(app, &r->number) : -ENOMEM;
        if (q >= 0)
                path = path_of(app, r->number, "");
        if (q >= 0)
                q = path ? remove_tree(AT_FDCWD, new) : -ENOMEM;
        if (q >= 0)
                q = mkdir_parents(AT_FDCWD, new, 0700);
        if (q >= 0)
                q = directory_fill(new, r, spec, content, reterr);
        if (q >= 0)
                q = rename(new, path) < 0 ? -errno : sync_directory(all);
        if (q < 0) {
                (void) remove_tree(AT_FDCWD, new);
                return *reterr->text ? q : error_set_errno(reterr, q, "cannot keep a release in '%s'", all);
        }
        return 0;
}

/* The record, to be changed, and where it is. */
static int record_open(const char *app, unsigned number, ReleaseRecord *ret, char **ret_path) {
        *ret_path = path_of(app, number, "/record");
        return *ret_path ? release_read(app, number, ret) : -ENOMEM;
}

int release_set_fate(const char *app, unsigned number, const char *fate, const char *message) {
        _cleanup_release_record_ ReleaseRecord record = { 0 };
        _cleanup_free_ char *path = NULL;
        int r = record_open(app, number, &record, &path);

        if (r < 0 || (streq(record.fate, fate) && streq(record.message, message ? message : "")))
                return r;
        free(record.fate);
        free(record.message);
        record.fate = strdup(fate);
        record.message = strdup(message ? message : "");
        return record.fate && record.message ? record_write(path, &record) : -ENOMEM;
}

int release_set_prepared(const char *app, unsigned number) {
        _cleanup_release_record_ ReleaseRecord record = { 0 };
        _cleanup_free_ char *path = NULL;
        int r = record_open(app, number, &record, &path);

        if (r < 0)
                return r;
        record.prepared = 1;
        return record_write(path, &record);
}

int release_forget(const char *app, const ReleaseRecord *r) {
        _cleanup_free_ char *path = path_of(app, r->number, ""), *holder = release_holder(app, r->number), *copy = strdup(r->images);
        char *rest = copy, *word;

        if (!path || !holder || !copy)
                return -ENOMEM;
        while ((word = strsep(&rest, " "))) {
                const char *id = strchr(word, '=');

                if (id)
                        (void) image_unhold(NULL, id + 1, holder, NULL);
        }
        return remove_tree(AT_FDCWD, path);
}

static int forget_all(const char *app) {
        _cleanup_free_ char *path = path_of(app, 0, ""), *directory = str_format(BERTH_APP_DIR "/%s", app);
        ReleaseRecord *records = NULL;
        size_t n = 0;
        int r = path && directory ? releases_read(app, &records, &n) : -ENOMEM;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = release_forget(app, &records[i]);
        releases_free(records, n);
        if (r >= 0)
                r = remove_tree(AT_FDCWD, path);
        if (r >= 0)
                (void) rmdir(directory); /* where nothing else is in it */
        return r;
}

/* Not to be read, it may be, but there. */
static bool is_gone(const char *app) {
        _cleanup_free_ char *run = str_format(BERTH_RUN_DIR "/%s", app);
        _cleanup_(spec_freep) Spec *spec = NULL;

        return run && access(run, F_OK) < 0 && errno == ENOENT && spec_load(app, NULL, NULL, &spec) == -ENOENT;
}

int releases_forget_gone(void) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(AT_FDCWD, BERTH_APP_DIR, &d);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (struct dirent *entry; r >= 0 && (entry = readdir(d));)
                if (*entry->d_name != '.' && is_gone(entry->d_name))
                        r = forget_all(entry->d_name);
        return r;
}
