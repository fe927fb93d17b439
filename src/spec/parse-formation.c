/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/parse.h"
#include "util/strv.h"

/* Keys of how many instances there are, of releases and of how one takes another's place. */

#define SHARE_PERCENT_MAX 1000
#define CPUS_WORD "%cpus"

/* "%cpus" is a word of ours, not a specifier of systemd's. */
int parse_instances(SpecParse *c, void *place) {
        uint64_t v;
        int r;

        c->process->instances_cpus = streq(c->line->value, CPUS_WORD);
        if (c->process->instances_cpus)
                return spec_keep_number(c, place, 0);
        r = spec_take_number(c, 0, SPEC_INSTANCES_MAX, &v);
        return r <= 0 ? r : spec_keep_number(c, place, v);
}

static int take_share(SpecParse *c, SpecShare *place, bool up, uint64_t percent_max) {
        _cleanup_free_ char *text = NULL;
        SpecShare share = { .set = true, .up = up, .origin = spec_origin_at(c, c->line->value) };
        const char *value = c->line->value;
        size_t n = strlen(value);
        int r;

        /* The percent sign stands for itself here; "%%" is for who escapes it as in other values. */
        share.percent = n > 0 && value[n - 1] == '%';
        for (unsigned i = 0; i < 2 && n > 0 && value[n - 1] == '%'; i++)
                n--;
        r = spec_expand_range(c, value, value + n, &text);
        if (r <= 0)
                return r;
        if (parse_u64(text, share.percent ? percent_max : SPEC_INSTANCES_MAX, &share.value) < 0)
                return spec_complain(c, value, "'%s' is neither a number from 0 to %d nor a share from 0%% to %llu%%", value, SPEC_INSTANCES_MAX,
                        (unsigned long long) percent_max);
        *place = share;
        return 1;
}

int parse_max_surge(SpecParse *c, void *place) {
        return take_share(c, place, true, SHARE_PERCENT_MAX);
}

int parse_max_unavailable(SpecParse *c, void *place) {
        return take_share(c, place, false, 100);
}

int parse_update(SpecParse *c, void *place) {
        static const char *const names[_SPEC_UPDATE_MAX] = {
                [SPEC_UPDATE_ROLLING] = "rolling",
                [SPEC_UPDATE_RECREATE] = "recreate",
        };

        return spec_take_choice(c, names, ELEMENTSOF(names), "a way to replace instances", "rolling and recreate", place);
}

int parse_activation(SpecParse *c, void *place) {
        if (!streq(c->line->value, "socket"))
                return spec_complain(c, c->line->value, "Activation= is socket, or is left out");
        *(SpecActivation *) place = SPEC_ACTIVATION_SOCKET;
        return 1;
}

static int take_number_of(SpecParse *c, void *place, uint64_t most) {
        uint64_t v;
        int r = spec_take_number(c, 1, most, &v);

        return r <= 0 ? r : spec_keep_number(c, place, v);
}

int parse_keep_releases(SpecParse *c, void *place) {
        return take_number_of(c, place, SPEC_RELEASES_MAX);
}

int parse_release(SpecParse *c, void *place) {
        return take_number_of(c, place, UINT32_MAX);
}
