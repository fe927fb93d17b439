/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "sandbox/seccomp-rules.h"
#include "sandbox/seccomp.h"
#include "util/macro.h"

#define FILTER_OPTIMIZE_TREE 2 /* a binary tree over the numbers; libseccomp 2.5 */

static const struct {
        uint32_t native;
        const char *go;   /* as profiles name it */
        const char *subs; /* what else the kernel of such a machine runs */
} machines[] = {
        { SCMP_ARCH_X86_64,  "amd64",   "x86 x32"   },
        { SCMP_ARCH_X86,     "x86",     NULL        },
        { SCMP_ARCH_AARCH64, "arm64",   "arm"       },
        { SCMP_ARCH_ARM,     "arm",     NULL        },
        { SCMP_ARCH_PPC64LE, "ppc64le", NULL        },
        { SCMP_ARCH_RISCV64, "riscv64", NULL        },
        { SCMP_ARCH_S390X,   "s390x",   "s390"      },
        { SCMP_ARCH_MIPSEL64, "mips64le", "mipsel mipsel64n32" },
};

const char *seccomp_sub_arches(uint32_t native) {
        for (size_t i = 0; i < ELEMENTSOF(machines); i++)
                if (machines[i].native == native)
                        return machines[i].subs;
        return NULL;
}

static bool word_is_in(const char *words, const char *word) {
        size_t length = strlen(word);

        for (const char *p = words; p && *p; p += strspn(p, " ")) {
                size_t n = strcspn(p, " ");

                if (n == length && strncmp(p, word, n) == 0)
                        return true;
                p += n;
        }
        return false;
}

static bool rule_counts(const SeccompRule *rule, uint64_t capabilities) {
        const char *machine = "unknown";

        for (size_t i = 0; i < ELEMENTSOF(machines); i++)
                if (machines[i].native == seccomp_arch_native())
                        machine = machines[i].go;
        return (rule->include_caps & ~capabilities) == 0 && (rule->exclude_caps & capabilities) == 0 &&
                (!rule->arches || word_is_in(rule->arches, machine)) &&
                (!rule->exclude_arches || !word_is_in(rule->exclude_arches, machine));
}

static bool args_repeat(const SeccompRule *rule) {
        for (size_t i = 0; i < rule->n_args; i++)
                for (size_t j = 0; j < i; j++)
                        if (rule->args[i].index == rule->args[j].index)
                                return true;
        return false;
}

static int rule_add_call(scmp_filter_ctx ctx, const SeccompRule *rule, int number) {
        struct scmp_arg_cmp args[SECCOMP_ARGS_MAX];
        int r = 0;

        for (size_t i = 0; i < rule->n_args; i++)
                args[i] = (struct scmp_arg_cmp){ rule->args[i].index, rule->args[i].op, rule->args[i].value,
                        rule->args[i].value_two };
        if (!args_repeat(rule))
                return seccomp_rule_add_array(ctx, rule->action, number, (unsigned) rule->n_args, args);
        /* libseccomp takes one comparison an argument; the runtimes read more as alternatives. */
        for (size_t i = 0; i < rule->n_args && r >= 0; i++)
                r = seccomp_rule_add_array(ctx, rule->action, number, 1, args + i);
        return r;
}

static int rule_add(scmp_filter_ctx ctx, const SeccompProfile *p, const SeccompRule *rule, Error *reterr) {
        if (rule->action == p->default_action)
                return 0;
        for (const char *s = rule->names; *s; s += strspn(s, " ")) {
                char name[64];
                size_t n = strcspn(s, " ");
                int number, r;

                (void) snprintf(name, sizeof(name), "%.*s", (int) n, s);
                s += n;
                number = n < sizeof(name) ? seccomp_syscall_resolve_name(name) : __NR_SCMP_ERROR;
                if (number == __NR_SCMP_ERROR) {
                        /* A name from a newer or another machine: not allowing it is safe, not refusing it is not. */
                        if (rule->action == SCMP_ACT_ALLOW)
                                continue;
                        if (p->default_action != SCMP_ACT_ALLOW && p->default_action != SCMP_ACT_LOG)
                                continue;
                        return error_set(reterr, -EINVAL, "the profile is to refuse system call '%s', which is unknown",
                                name);
                }
                r = rule_add_call(ctx, rule, number);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot add a rule for system call '%s'", name);
        }
        return 0;
}

static int arches_add(scmp_filter_ctx ctx, const char *arches, Error *reterr) {
        for (const char *s = arches; s && *s; s += strspn(s, " ")) {
                size_t n = strcspn(s, " ");
                char name[32];
                uint32_t token;
                int r;

                (void) snprintf(name, sizeof(name), "%.*s", (int) n, s);
                s += n;
                token = seccomp_arch_resolve_name(name);
                if (token == 0)
                        return error_set(reterr, -EINVAL, "unknown architecture '%s'", name);
                r = seccomp_arch_add(ctx, token);
                if (r < 0 && r != -EEXIST)
                        return error_set_errno(reterr, r, "cannot add architecture '%s'", name);
        }
        return 0;
}

static void filter_release(scmp_filter_ctx *ctx) {
        if (*ctx)
                seccomp_release(*ctx);
}

int seccomp_profile_compile(const SeccompProfile *p, uint64_t capabilities, int fd, Error *reterr) {
        _cleanup_(filter_release) scmp_filter_ctx ctx = seccomp_init(p->default_action);
        int r;

        if (!ctx)
                return error_set_errno(reterr, -EINVAL, "cannot begin a filter");
        r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, FILTER_OPTIMIZE_TREE);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set the filter's optimization");
        r = arches_add(ctx, p->arches, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < p->n_rules; i++) {
                r = rule_counts(p->rules + i, capabilities) ? rule_add(ctx, p, p->rules + i, reterr) : 0;
                if (r < 0)
                        return r;
        }
        r = seccomp_export_bpf(ctx, fd);
        return r < 0 ? error_set_errno(reterr, r, "cannot write the filter") : 0;
}

int seccomp_compile(const char *profile, uint64_t capabilities, int fd, Error *reterr) {
        const SeccompProfile p = {
                .default_action = SCMP_ACT_ERRNO(ENOSYS),
                .arches = seccomp_sub_arches(seccomp_arch_native()),
                .rules = seccomp_default,
                .n_rules = seccomp_default_size,
        };

        return profile ? seccomp_json_compile(profile, capabilities, fd, reterr) :
                         seccomp_profile_compile(&p, capabilities, fd, reterr);
}
