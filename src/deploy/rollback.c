/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deploy/rollback.h"
#include "util/strv.h"

void releases_clear(Releases *r) {
        releases_free(r->items, r->n);
        *r = (Releases){ 0 };
}

bool release_is_running(const App *app, const ReleaseRecord *r) {
        return app->run.name && app->run.release == r->number;
}

static const ReleaseRecord *find(const Releases *releases, unsigned number) {
        for (size_t i = 0; i < releases->n; i++)
                if (releases->items[i].number == number)
                        return &releases->items[i];
        return NULL;
}

/* The last good one before what runs, which may have brought back an earlier one; or NULL. */
static const ReleaseRecord *before(const App *app, const Releases *releases) {
        const ReleaseRecord *running = app->run.name ? find(releases, app->run.release) : NULL;
        unsigned number = !running ? UINT32_MAX : running->equals > 0 ? running->equals : running->number;

        for (size_t i = releases->n; i-- > 0;) {
                const ReleaseRecord *r = &releases->items[i];

                if (r->number < number && r->equals == 0 && streq(r->fate, RELEASE_GOOD))
                        return r;
        }
        return NULL;
}

int rollback_choose(const App *app, const Releases *releases, const char *text, unsigned *ret, Error *reterr) {
        const ReleaseRecord *chosen;
        uint64_t number;

        if (text && streq(text, "off")) {
                *ret = 0;
                return 0;
        }
        if (!text || !*text) {
                chosen = before(app, releases);
                if (!chosen)
                        return error_set(reterr, -ENOENT, "app '%s' has no good release before what runs; 'berth releases %s' shows all", app->name, app->name);
        } else {
                if (parse_u64(*text == 'v' ? text + 1 : text, UINT32_MAX, &number) < 0 || number == 0)
                        return error_set(reterr, -EINVAL, "'%s' is not a release, such as v3, nor off", text);
                chosen = find(releases, (unsigned) number);
                if (!chosen)
                        return error_set(reterr, -ENOENT, "app '%s' has no release v%u; 'berth releases %s' shows all", app->name, (unsigned) number, app->name);
        }
        *ret = chosen->number;
        return 0;
}

int rollback_set(DropIn *c, unsigned number) {
        _cleanup_free_ char *value = str_format("%u", number);

        return value ? drop_in_set(c, NULL, "Release", number > 0 ? value : NULL) : -ENOMEM;
}

int rollback_check(const DropIn *c, unsigned number, Error *reterr) {
        char place[512];

        if (c->spec->release.set == (number > 0))
                return 0;
        return error_set(reterr, -EEXIST, "%s says which release it runs", spec_origin_text(c->spec, c->spec->release.origin, place, sizeof(place)));
}

char *rollback_reason(unsigned number) {
        return number > 0 ? str_format("rollback to v%u", number) : strdup("rollback off");
}
