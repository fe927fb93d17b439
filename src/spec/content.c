/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/content.h"
#include "spec/document.h"
#include "util/buf.h"
#include "util/strv.h"

/* Keys of a running app, whatever its release is. */
static const char *const live_keys[] = {
        "Activation", "CPUs", "CPUWeight", "IdleTimeout", "Instances", "IOWeight", "KeepReleases", "Maintenance", "MaintenancePage",
        "MaxSurge", "MaxUnavailable", "Memory", "MemorySwap", "PidsLimit", "Release", "RollbackWindow", "Update",
};

static bool is_live(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(live_keys); i++)
                if (streq(live_keys[i], key))
                        return true;
        return false;
}

static bool section_runs(const char *section) {
        return streq(section, "Container") || streq(section, "Service") || str_after(section, "Process ");
}

static int put_section(Buf *b, const SpecDocument *d, const char *section) {
        bool begun = false;
        int r = 0;

        for (size_t f = 0; f < d->n_sources; f++)
                for (size_t i = 0; i < d->sources[f].n_lines && r >= 0; i++) {
                        const SpecSource *s = &d->sources[f];
                        const SpecLine *l = &s->lines[i];

                        if (!l->key || !streq(spec_line_section(s, l), section) || is_live(l->key) || !spec_document_counts(d, f, i))
                                continue;
                        r = begun ? 0 : buf_printf(b, "[%s]\n", section);
                        begun = true;
                        if (r >= 0)
                                r = buf_printf(b, "%s=%s\n", l->key, l->value);
                }
        return r;
}

int spec_content(const char *name, const char *dirs, char **ret) {
        _cleanup_search_ SpecSearch search = { 0 };
        _cleanup_document_ SpecDocument d = { 0 };
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_strv_ char **sections = NULL;
        _cleanup_buf_ Buf b = BUF_INIT;
        int r;

        r = spec_search_open(dirs, &search);
        if (r >= 0)
                r = spec_document_read(&search, SPEC_CONTAINER, name, &diags, &d);
        if (r >= 0)
                r = spec_document_sections(&d, &sections);
        for (char **section = sections; r >= 0 && section && *section; section++)
                if (section_runs(*section))
                        r = put_section(&b, &d, *section);
        if (r < 0)
                return r;
        *ret = b.data ? buf_steal(&b) : strdup("");
        return *ret ? 0 : -ENOMEM;
}
