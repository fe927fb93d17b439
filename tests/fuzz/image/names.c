/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of images and of archive entries: what is taken has the form that the rest relies on. */

#include "image/name.h"
#include "image/path.h"
#include "image/writer.h"
#include "util/strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

static void try_name(const char *text, NameDefault fallback) {
        _cleanup_name_ Name name = { 0 }, again = { 0 };
        Error e = { 0 };
        int r = name_parse(text, fallback, &name, &e);

        check(r == 0 || (r == -EINVAL && e.text[0]));
        if (r < 0 || !name.full)
                return;
        /* A full name is complete, and a file's name. */
        check(name_parse(name.full, fallback, &again, &e) == 0 && streq(again.full, name.full));
        {
                _cleanup_free_ char *file = name_to_file(name.full), *back = name_from_file(file);

                check(!strchr(file, '/') && strlen(file) <= NAME_LENGTH_MAX && file[0] != '.' && streq(back, name.full));
        }
}

static void check_component(const char *s, size_t n) {
        check(n > 0 && n <= WRITER_NAME_MAX && !(n == 1 && s[0] == '.') && !(n == 2 && s[0] == '.' && s[1] == '.'));
}

static void try_path(const char *text) {
        _cleanup_entry_path_ EntryPath p = { 0 };
        const char *whiteout = NULL;
        Error e = { 0 };
        size_t depth = 0;
        int r = entry_path_parse(text, &p, &e);

        check(r == 0 || (r < 0 && e.text[0]));
        if (r < 0)
                return;
        for (const char *s = p.parent; *s; s += strcspn(s, "/"), s += *s == '/') {
                check_component(s, strcspn(s, "/"));
                depth++;
        }
        check(depth == p.depth && !str_ends_with(p.parent, "/") && !strchr(p.name, '/'));
        if (*p.name)
                check_component(p.name, strlen(p.name));
        else
                check(!*p.parent);
        if (entry_path_whiteout(&p, &whiteout) == WHITEOUT_FILE)
                check_component(whiteout, strlen(whiteout));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);

        try_name(text, NAME_DOCKER);
        try_name(text, NAME_LOCAL);
        try_path(text);
        (void) xattr_wanted(text);
        return 0;
}
