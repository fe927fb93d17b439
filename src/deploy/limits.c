/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "deploy/limits.h"
#include "spec/names.h"
#include "unit/text.h"
#include "util/nearest.h"
#include "util/strv.h"

/* clang-format off */
const Limit limits[LIMITS_N] = {
        { "Memory",     LIMIT_SIZE,   offsetof(SpecProcess, memory),     "memory",     "MemoryMax",     "MemoryMax",           "MemoryMaxScale"     },
        { "MemorySwap", LIMIT_SWAP,   offsetof(SpecProcess, swap),       "swap",       "MemorySwapMax", "MemorySwapMax",       "MemorySwapMaxScale" },
        { "CPUs",       LIMIT_CPUS,   offsetof(SpecProcess, cpu_quota),  "cpus",       "CPUQuota",      "CPUQuotaPerSecUSec",  NULL                 },
        { "CPUWeight",  LIMIT_WEIGHT, offsetof(SpecProcess, cpu_weight), "cpu_weight", "CPUWeight",     "CPUWeight",           NULL                 },
        { "IOWeight",   LIMIT_WEIGHT, offsetof(SpecProcess, io_weight),  "io_weight",  "IOWeight",      "IOWeight",            NULL                 },
        { "PidsLimit",  LIMIT_NUMBER, offsetof(SpecProcess, pids),       "pids",       "TasksMax",      "TasksMax",            "TasksMaxScale"      },
};
/* clang-format on */

static const char *size_words(uint64_t size, char text[static LIMIT_TEXT_MAX]) {
        static const char units[] = "bkmgt";
        size_t unit = 0;

        while (size != 0 && size % 1024 == 0 && unit + 1 < STRLEN("bkmgt")) {
                size /= 1024;
                unit++;
        }
        (void) snprintf(text, LIMIT_TEXT_MAX, unit == 0 ? "%" PRIu64 : "%" PRIu64 "%c", size, units[unit]);
        return text;
}

static const char *number_text(const Limit *l, uint64_t value, char text[static LIMIT_TEXT_MAX]) {
        if (value == SPEC_INFINITY)
                return "infinity";
        switch (l->kind) {
        case LIMIT_SIZE:
        case LIMIT_SWAP:
                return size_words(value, text);
        case LIMIT_CPUS:
                (void) snprintf(text, LIMIT_TEXT_MAX, "%g", (double) value / LIMIT_CPU_USEC);
                return text;
        case LIMIT_WEIGHT:
        case LIMIT_NUMBER:
                if (l->kind == LIMIT_WEIGHT && value == 0)
                        return "idle";
                (void) snprintf(text, LIMIT_TEXT_MAX, "%" PRIu64, value);
                return text;
        case _LIMIT_KIND_MAX:
        case _LIMIT_KIND_INVALID:
                break;
        }
        assert(false);
        return NULL;
}

const char *limit_text(const SpecProcess *p, const Limit *l, char text[static LIMIT_TEXT_MAX]) {
        const SpecNumber *n = (const SpecNumber *) ((const char *) p + l->offset);

        return n->set ? number_text(l, n->value, text) : NULL;
}

/* ---- systemd's words ---- */

/* "150%" in millionths of the whole: 0, or -EINVAL where it is none. */
static int parse_percentage(const char *text, uint64_t *ret) {
        size_t n = parse_decimal_start(text, LIMIT_CPU_USEC / 100, ret);

        return n > 0 && streq(text + n, "%") ? 0 : -EINVAL;
}

int limit_slice_number(const Limit *l, const char *text, uint64_t *ret, bool *ret_share) {
        *ret_share = false;
        if (!text || !*text || (streq(text, "infinity") && l->kind != LIMIT_WEIGHT)) {
                *ret = SPEC_INFINITY;
                return 0;
        }
        switch (l->kind) {
        case LIMIT_CPUS:
                return parse_percentage(text, ret);
        case LIMIT_SIZE:
        case LIMIT_SWAP:
        case LIMIT_NUMBER:
                *ret_share = parse_percentage(text, ret) >= 0;
                if (*ret_share)
                        return *ret <= LIMIT_CPU_USEC ? 0 : -ERANGE;
                return l->kind == LIMIT_NUMBER ? parse_u64(text, UINT64_MAX - 1, ret) : parse_size(text, ret);
        case LIMIT_WEIGHT:
                if (streq(text, "idle")) {
                        *ret = 0;
                        return 0;
                }
                return parse_u64(text, LIMIT_WEIGHT_MAX, ret);
        case _LIMIT_KIND_MAX:
        case _LIMIT_KIND_INVALID:
                break;
        }
        assert(false);
        return -EINVAL;
}

const char *limit_slice_text(const Spec *s, const Limit *l, char text[static LIMIT_TEXT_MAX]) {
        const char *written = unit_passed(&s->slice_keys, l->slice_key);
        uint64_t value;
        bool share;

        if (!written)
                return NULL;
        return limit_slice_number(l, written, &value, &share) < 0 || share ? written : number_text(l, value, text);
}

/* ---- a change ---- */

static int no_limit(const char *key, Error *reterr) {
        Nearest nearest = NEAREST_INIT(key);
        const Limit *near;

        for (size_t i = 0; i < LIMITS_N; i++)
                nearest_try(&nearest, limits[i].key, &limits[i]);
        near = nearest_found(&nearest);
        return near ? error_set(reterr, -EINVAL, "no limit '%s', did you mean '%s'?", key, near->key) :
                      error_set(reterr, -EINVAL, "no limit '%s'; there are " LIMITS_KEYS, key);
}

/* ret_value: behind the "=", in argument. */
static int limit_take(const char *argument, const Limit **ret, const char **ret_value, Error *reterr) {
        const char *equals = strchr(argument, '=');
        _cleanup_free_ char *key = NULL;

        if (!equals)
                return error_set(reterr, -EINVAL, "'%s' is not KEY=VALUE", argument);
        if (strpbrk(equals, "\n\\"))
                return error_set(reterr, -EINVAL, "'%s' is not one line", argument);
        key = strndup(argument, (size_t) (equals - argument));
        if (!key)
                return -ENOMEM;
        for (size_t i = 0; i < LIMITS_N; i++)
                if (streq(limits[i].key, key)) {
                        *ret = &limits[i];
                        *ret_value = equals + 1;
                        return 0;
                }
        return no_limit(key, reterr);
}

int limits_set(DropIn *c, const char *process, char *const *arguments, Error *reterr) {
        for (; *arguments; arguments++) {
                const Limit *l;
                const char *value;
                int r = limit_take(*arguments, &l, &value, reterr);

                if (r >= 0)
                        r = drop_in_set(c, process, l->key, *value ? value : NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A value of our keys as a number, as a spec takes it. */
static int take_number(const Limit *l, const char *text, uint64_t *ret, Error *reterr) {
        switch (l->kind) {
        case LIMIT_SIZE:
        case LIMIT_SWAP:
                if (parse_limit_size(text, ret) < 0)
                        return error_set(reterr, -EINVAL, "%s=%s: not a size such as 64m or 2g", l->key, text);
                if (*ret == 0 && l->kind == LIMIT_SIZE)
                        *ret = SPEC_INFINITY;
                return 0;
        case LIMIT_CPUS:
                return parse_limit_cpus(text, ret) < 0 ? error_set(reterr, -EINVAL, "%s=%s: not a number of processors such as 1.5", l->key, text) : 0;
        case LIMIT_NUMBER:
                return parse_limit_pids(text, ret) < 0 ? error_set(reterr, -EINVAL, "%s=%s: not a number from 1 to %d", l->key, text, LIMIT_PIDS_MAX) : 0;
        case LIMIT_WEIGHT:
                if (streq(text, "idle") && streq(l->key, "CPUWeight"))
                        *ret = 0;
                else if (parse_limit_weight(text, ret) < 0)
                        return error_set(reterr, -EINVAL, "%s=%s: not a number from 1 to %d", l->key, text, LIMIT_WEIGHT_MAX);
                return 0;
        case _LIMIT_KIND_MAX:
        case _LIMIT_KIND_INVALID:
                break;
        }
        assert(false);
        return -EINVAL;
}

/* In systemd's words; NULL when out of memory. */
static char *slice_words(const Limit *l, uint64_t value) {
        if (value == SPEC_INFINITY)
                return strdup(l->kind == LIMIT_CPUS ? "" : "infinity");
        if (l->kind == LIMIT_CPUS && value % (LIMIT_CPU_USEC / 100) != 0)
                return str_format("%" PRIu64 ".%02u%%", value / (LIMIT_CPU_USEC / 100), (unsigned) (value % (LIMIT_CPU_USEC / 100) / (LIMIT_CPU_USEC / 10000)));
        if (l->kind == LIMIT_CPUS)
                return str_format("%" PRIu64 "%%", value / (LIMIT_CPU_USEC / 100));
        if (l->kind == LIMIT_WEIGHT && value == 0)
                return strdup("idle");
        return str_format("%" PRIu64, value);
}

/* The memory that goes with a MemorySwap=: of the same change, or what [Slice] says already. */
static int memory_beside(const DropIn *c, char *const *arguments, uint64_t *ret, Error *reterr) {
        const Limit *memory = &limits[0], *l;
        const char *value;
        bool share;

        for (; *arguments; arguments++)
                if (limit_take(*arguments, &l, &value, NULL) >= 0 && l == memory && *value)
                        return take_number(memory, value, ret, reterr);
        if (limit_slice_number(memory, unit_passed(&c->old->slice_keys, memory->slice_key), ret, &share) < 0 || share || *ret == SPEC_INFINITY)
                return error_set(reterr, -EINVAL, "MemorySwap= is memory and swap together: it needs Memory=");
        return 0;
}

static int set_slice(DropIn *c, const Limit *l, const char *text, char *const *arguments, Error *reterr) {
        _cleanup_free_ char *words = NULL;
        uint64_t value, memory;
        int r;

        if (!*text)
                return drop_in_set_in(c, "Slice", l->slice_key, NULL);
        r = take_number(l, text, &value, reterr);
        if (r < 0)
                return r;
        if (l->kind == LIMIT_SWAP && value != SPEC_INFINITY) {
                r = memory_beside(c, arguments, &memory, reterr);
                if (r < 0)
                        return r;
                if (value < memory)
                        return error_set(reterr, -EINVAL, "MemorySwap=%s is less than the memory: it is memory and swap together", text);
                value -= memory;
        }
        words = slice_words(l, value);
        return words ? drop_in_set_in(c, "Slice", l->slice_key, words) : -ENOMEM;
}

int limits_set_slice(DropIn *c, char *const *arguments, Error *reterr) {
        for (char *const *argument = arguments; *argument; argument++) {
                const Limit *l;
                const char *value;
                int r = limit_take(*argument, &l, &value, reterr);

                if (r >= 0)
                        r = set_slice(c, l, value, arguments, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
