/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>

#include "cli/prune.h"
#include "spec/document.h"
#include "spec/names.h"
#include "spec/spec.h"
#include "util/fd.h"
#include "util/nearest.h"

#define CONF_SIZE_MAX 65536
#define CONF_LINES_MAX 1000
#define KEEP_MAX 1000000

static int set_keep(PrunePolicy *p, const char *text) {
        uint64_t n;

        if (parse_u64(text, KEEP_MAX, &n) < 0)
                return -EINVAL;
        p->keep = (unsigned) n;
        return 0;
}

static int set_age(PrunePolicy *p, const char *text) {
        uint64_t microseconds;

        if (parse_timespan(text, &microseconds) < 0 || microseconds == SPEC_INFINITY)
                return -EINVAL;
        p->min_age = microseconds / 1000000;
        return 0;
}

static int set_free(PrunePolicy *p, const char *text) {
        size_t n = strspn(text, "0123456789");
        uint64_t value;

        if (n > 0 && streq(text + n, "%")) {
                char digits[4];

                (void) snprintf(digits, sizeof(digits), "%.*s", (int) MIN(n, sizeof(digits) - 1), text);
                if (n > 3 || parse_u64(digits, 100, &value) < 0)
                        return -EINVAL;
                p->free_percent = (unsigned) value;
                p->free_bytes = 0;
                return 0;
        }
        if (parse_size(text, &value) < 0 || value == UINT64_MAX)
                return -EINVAL;
        p->free_bytes = value;
        p->free_percent = 0;
        return 0;
}

static int set_all(PrunePolicy *p, const char *text) {
        int b = parse_boolean(text);

        if (b < 0)
                return -EINVAL;
        p->all = b;
        return 0;
}

static const struct {
        const char *key, *wants;
        int (*set)(PrunePolicy *p, const char *text);
} keys[] = {
        { "Keep",      "a number of images",                                  set_keep },
        { "OlderThan", "a time such as 7d, 12h or 30min",                     set_age  },
        { "Free",      "a size such as 20G, or a part of the disk such as 10%", set_free },
        { "All",       "yes or no",                                           set_all  },
};

int prune_set(PrunePolicy *policy, const char *key, const char *text, Error *reterr) {
        Nearest nearest = NEAREST_INIT(key);

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                if (streq(keys[i].key, key))
                        return keys[i].set(policy, text) < 0 ? error_set(reterr, -EINVAL, "it wants %s, not '%.100s'", keys[i].wants, text) : 0;
                nearest_try(&nearest, keys[i].key, keys[i].key);
        }
        if (nearest_found(&nearest))
                return error_set(reterr, -ENOENT, "unknown key '%.60s', did you mean '%s'?", key, (const char *) nearest_found(&nearest));
        return error_set(reterr, -ENOENT, "unknown key '%.60s': there are Keep, OlderThan, Free and All", key);
}

static int take_line(const char *path, const SpecSource *source, const SpecLine *line, PrunePolicy *policy, Error *reterr) {
        const char *section = source->lines[line->section].value;
        int r;

        if (!line->key) {
                if (streq(section, "Prune"))
                        return 0;
                return error_set(reterr, -EINVAL, "%s:%u:%u: unknown section [%.60s], there is [Prune] alone", path, line->line, line->column, section);
        }
        /* As everywhere in unit files, empty is what it would be without the line. */
        if (!*line->value)
                return 0;
        r = prune_set(policy, line->key, line->value, reterr);
        if (r == -EINVAL)
                (void) error_prefix(reterr, "%s=", line->key);
        if (r < 0)
                (void) error_prefix(reterr, "%s:%u:%u", path, line->line, line->column);
        return r < 0 ? -EINVAL : 0;
}

int prune_read_conf(const char *path, PrunePolicy *policy, Error *reterr) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        SpecSource source = { 0 };
        char *raw;
        size_t size;
        int r = read_file(AT_FDCWD, path, CONF_SIZE_MAX, &raw, &size);

        if (r == -ENOENT)
                return r;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read %s", path);
        r = spec_source_lex(&source, path, raw, size, CONF_LINES_MAX, &diags);
        if (r >= 0 && diags.n_errors > 0) {
                _cleanup_free_ char *text = spec_diag_format(diags.items, true);

                r = error_set(reterr, -EINVAL, "%s", text ? text : path);
        }
        for (size_t i = 0; r >= 0 && i < source.n_lines; i++)
                r = take_line(path, &source, source.lines + i, policy, reterr);
        spec_source_clear(&source);
        return r;
}

/* Whether what the template's values are depends on the instance: then nobody knows which images it may be asked for. */
static int check_template(const SpecSearch *search, SpecKind kind, const char *name, Error *reterr) {
        _cleanup_document_ SpecDocument document = { 0 };
        int r = spec_document_read(search, kind, name, NULL, &document);

        for (size_t i = 0; r >= 0 && i < document.n_sources; i++)
                for (size_t j = 0; j < document.sources[i].n_lines; j++) {
                        const SpecLine *line = document.sources[i].lines + j;

                        if (line->key && (streq(line->key, "Image") || streq(line->key, "Mount")) && strchr(line->value, '%'))
                                return error_set(reterr, -EINVAL, "which image spec '%s' needs depends on the instance: %s=%s", name,
                                        line->key, line->value);
                }
        return r < 0 ? error_set_errno(reterr, r, "cannot read spec '%s'", name) : 0;
}

static int add_image(const char *store, const char *name, char ***ids, Error *reterr) {
        _cleanup_image_ Image *image = NULL;
        int r = image_open(store, name, &image, reterr);

        if (r == -ENOENT) /* it is not here anyhow */
                return 0;
        return r < 0 ? r : strv_append(ids, image->id);
}

static int add_spec(const SpecSearch *search, SpecKind kind, const char *store, const char *name, char ***ids, Error *reterr) {
        _cleanup_(spec_freep) Spec *s = NULL;
        int r = spec_read_kind_from(search, kind, name, SPEC_STATIC, NULL, &s);

        if (r == -ERFKILL || r == -ENOENT) /* masked or gone since */
                return 0;
        if (r < 0)
                return error_set(reterr, r, "spec '%s' is broken, and nobody knows which image it needs: see berth verify", name);
        if (s->template) {
                r = check_template(search, kind, name, reterr);
                if (r < 0)
                        return r;
        }
        if (kind == SPEC_NETWORK)
                return 0;
        if (kind == SPEC_IMAGE)
                return add_image(store, spec_image_name(&s->image), ids, reterr);
        for (size_t i = 0; r >= 0 && i < s->n_processes; i++) {
                const SpecProcess *p = s->processes + i;

                if (p->image.value)
                        r = add_image(store, p->image.value, ids, reterr);
                for (size_t j = 0; r >= 0 && j < p->mounts.n; j++)
                        if (p->mounts.items[j].type == SPEC_MOUNT_IMAGE)
                                r = add_image(store, p->mounts.items[j].source, ids, reterr);
        }
        return r;
}

int prune_spec_images(const char *store, char ***ret_ids, Error *reterr) {
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_strv_ char **ids = strv_copy(NULL);
        int r = ids ? spec_search_open(NULL, &search) : -ENOMEM;

        if (r < 0)
                return error_set_errno(reterr, r, "cannot look for specs");
        for (SpecKind kind = 0; r >= 0 && kind < _SPEC_KIND_MAX; kind++) {
                _cleanup_strv_ char **names = NULL;

                r = spec_search_list_kind(&search, kind, &names);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot list the specs");
                for (char **name = names; r >= 0 && *name; name++)
                        r = add_spec(&search, kind, store, *name, &ids, reterr);
        }
        if (r < 0)
                return r;
        *ret_ids = TAKE_PTR(ids);
        return 0;
}
