/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled filters are run here, by a small interpreter, on every system call number; what they answer is compared with
 * what Podman's profile says when it is read straight from its JSON, without our reader or libseccomp's rules. */
#include <fcntl.h>
#include <jansson.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/seccomp.h"
#include "suite.h"
#include "temporary.h"
#include "util/capability.h"
#include "util/fd.h"
#include "util/strv.h"

#define PODMAN_PROFILE "/usr/share/containers/seccomp.json"
#define CALL_MAX 600
#define CAPS_DEFAULT UINT64_C(0x800405fb)
#define CAPS_ALL UINT64_C(0x1ffffffffff)

typedef struct Filter {
        struct sock_filter *code;
        size_t n;
} Filter;

static Filter filter_compile(const char *profile, uint64_t caps) {
        _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
        Error error = { 0 };
        char *data;
        size_t size;

        ck_assert_msg(seccomp_compile(profile, caps, fd, &error) == 0, "%s", error.text);
        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
        ck_assert_int_eq(read_fd(fd, 1 << 20, &data, &size), 0);
        ck_assert_uint_eq(size % sizeof(struct sock_filter), 0);
        ck_assert_uint_le(size / sizeof(struct sock_filter), BPF_MAXINSNS);
        return (Filter){ (struct sock_filter *) data, size / sizeof(struct sock_filter) };
}

static bool jump_taken(uint16_t code, uint32_t a, uint32_t k) {
        switch (BPF_OP(code)) {
        case BPF_JEQ:
                return a == k;
        case BPF_JGT:
                return a > k;
        case BPF_JGE:
                return a >= k;
        case BPF_JSET:
                return (a & k) != 0;
        }
        ck_abort_msg("unknown jump %#x", code);
        return false;
}

/* The instructions that libseccomp emits. */
static uint32_t filter_run(const Filter *f, const struct seccomp_data *d) {
        uint32_t a = 0;

        for (size_t pc = 0; pc < f->n; pc++) {
                const struct sock_filter *i = f->code + pc;

                if (i->code == (BPF_LD | BPF_W | BPF_ABS))
                        memcpy(&a, (const char *) d + i->k, sizeof(a));
                else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
                        a &= i->k;
                else if (i->code == (BPF_RET | BPF_K))
                        return i->k;
                else if (i->code == (BPF_JMP | BPF_JA))
                        pc += i->k;
                else if (BPF_CLASS(i->code) == BPF_JMP)
                        pc += jump_taken(i->code, a, i->k) ? i->jt : i->jf;
                else
                        ck_abort_msg("unknown instruction %#x", i->code);
        }
        ck_abort_msg("the filter runs off its end");
        return 0;
}

static bool in_list(json_t *list, const char *word) {
        json_t *item;
        size_t i;

        json_array_foreach(list, i, item)
                if (streq(json_string_value(item), word))
                        return true;
        return false;
}

static bool any_cap(json_t *list, uint64_t caps, bool all) {
        json_t *item;
        size_t i;

        json_array_foreach(list, i, item) {
                bool have = (caps >> capability_from_name(json_string_value(item))) & 1;

                if (have != all)
                        return have;
        }
        return all;
}

static bool rule_applies(json_t *rule, uint64_t caps) {
        json_t *in = json_object_get(rule, "includes"), *ex = json_object_get(rule, "excludes");
        json_t *arches = json_object_get(in, "arches");

        if (json_array_size(arches) > 0 && !in_list(arches, "amd64"))
                return false;
        ck_assert_uint_eq(json_array_size(json_object_get(ex, "arches")), 0);
        return any_cap(json_object_get(in, "caps"), caps, true) && !any_cap(json_object_get(ex, "caps"), caps, false);
}

static bool args_match(json_t *args, const uint64_t *values) {
        json_t *arg;
        size_t i;

        json_array_foreach(args, i, arg) {
                uint64_t have = values[json_integer_value(json_object_get(arg, "index"))];
                uint64_t want = (uint64_t) json_integer_value(json_object_get(arg, "value"));
                const char *op = json_string_value(json_object_get(arg, "op"));

                ck_assert(streq(op, "SCMP_CMP_EQ") || streq(op, "SCMP_CMP_NE"));
                if ((have == want) != streq(op, "SCMP_CMP_EQ"))
                        return false;
        }
        return true;
}

static uint32_t json_result(json_t *object, const char *action, const char *number) {
        if (streq(json_string_value(json_object_get(object, action)), "SCMP_ACT_ALLOW"))
                return SECCOMP_RET_ALLOW;
        ck_assert_str_eq(json_string_value(json_object_get(object, action)), "SCMP_ACT_ERRNO");
        return SECCOMP_RET_ERRNO | (uint32_t) json_integer_value(json_object_get(object, number));
}

static uint32_t profile_says(json_t *profile, const char *call, const uint64_t *args, uint64_t caps) {
        uint32_t result = json_result(profile, "defaultAction", "defaultErrnoRet");
        json_t *rule;
        bool found = false;
        size_t i;

        json_array_foreach(json_object_get(profile, "syscalls"), i, rule) {
                uint32_t this;

                if (!in_list(json_object_get(rule, "names"), call) || !rule_applies(rule, caps) ||
                        !args_match(json_object_get(rule, "args"), args))
                        continue;
                this = json_result(rule, "action", "errnoRet");
                /* libseccomp takes the first rule that asks for no argument, and drops what comes behind it. Podman's
                 * has one such call, setns, which is allowed in its big list and refused further down. */
                if (json_array_size(json_object_get(rule, "args")) == 0)
                        return found ? result : this;
                ck_assert_msg(!found || this == result, "the profile contradicts itself about %s", call);
                result = this;
                found = true;
        }
        return result;
}

static const uint64_t arguments[][6] = {
        { 0, 0, 0, 0, 0, 0 },
        { 8, 0, 0, 0, 0, 0 },          /* personality: PER_LINUX32 */
        { 0x20000, 0, 0, 0, 0, 0 },    /* UNAME26 */
        { 0x20008, 0, 0, 0, 0, 0 },
        { 0xffffffff, 0, 0, 0, 0, 0 }, /* the query */
        { 0x40000, 0, 0, 0, 0, 0 },    /* ADDR_NO_RANDOMIZE */
        { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
        { 16, 3, 9, 0, 0, 0 },         /* socket: netlink, audit */
        { 16, 3, 0, 0, 0, 0 },
        { 2, 1, 9, 0, 0, 0 },
        { 40, 1, 0, 0, 0, 0 },         /* vsock */
        { 0x10000000, 0, 0, 0, 0, 0 }, /* clone: CLONE_NEWUSER */
        { 0x7e020000, 0, 0, 0, 0, 0 }, /* all namespaces */
        { 0x100000010, 3, 9, 0, 0, 0 }, /* netlink, were the upper half not looked at */
};

static const uint64_t cap_sets[] = {
        0, CAPS_DEFAULT, CAPS_ALL, UINT64_C(1) << CAP_SYS_ADMIN, UINT64_C(1) << CAP_DAC_READ_SEARCH,
        UINT64_C(1) << CAP_SYS_CHROOT, UINT64_C(1) << CAP_SYS_MODULE, UINT64_C(1) << CAP_SYS_PACCT,
        UINT64_C(1) << CAP_SYS_PTRACE, UINT64_C(1) << CAP_SYS_RAWIO, UINT64_C(1) << CAP_SYS_TIME,
        UINT64_C(1) << CAP_SYS_TTY_CONFIG, UINT64_C(1) << CAP_AUDIT_WRITE, UINT64_C(1) << CAP_NET_ADMIN,
        UINT64_C(1) << CAP_SYSLOG, UINT64_C(1) << CAP_SYS_BOOT, UINT64_C(1) << CAP_BPF, UINT64_C(1) << CAP_PERFMON,
};

static size_t compare_calls(const Filter *f, json_t *profile, uint64_t caps, const char *origin) {
        size_t n = 0;

        for (int number = 0; number < CALL_MAX; number++) {
                _cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);

                for (size_t i = 0; i < ELEMENTSOF(arguments); i++) {
                        struct seccomp_data d = { .nr = number, .arch = AUDIT_ARCH_X86_64 };
                        uint32_t want, have;

                        memcpy(d.args, arguments[i], sizeof(d.args));
                        want = profile_says(profile, name ?: "", arguments[i], caps);
                        have = filter_run(f, &d);
                        ck_assert_msg(want == have, "%s: %s (%d), arguments %zu, capabilities %#llx: %#x, not %#x", origin,
                                name ?: "?", number, i, (unsigned long long) caps, have, want);
                        n++;
                }
        }
        return n;
}

static json_t *podman_profile(char **ret_text) {
        json_t *profile;

        if (read_file(AT_FDCWD, PODMAN_PROFILE, 1 << 20, ret_text, NULL) < 0) {
                fputs("skipped: " PODMAN_PROFILE " (golang-github-containers-common) is not installed\n", stderr);
                return NULL;
        }
        profile = json_loads(*ret_text, 0, NULL);
        ck_assert_ptr_nonnull(profile);
        return profile;
}

START_TEST(the_default_is_podmans_call_by_call) {
        _cleanup_free_ char *text = NULL;
        json_t *profile = podman_profile(&text);
        size_t n = 0;

        if (!profile)
                return;
        for (size_t i = 0; i < ELEMENTSOF(cap_sets); i++) {
                Filter ours = filter_compile(NULL, cap_sets[i]), theirs = filter_compile(text, cap_sets[i]);

                n += compare_calls(&ours, profile, cap_sets[i], "default");
                n += compare_calls(&theirs, profile, cap_sets[i], "JSON");
                free(ours.code);
                free(theirs.code);
        }
        ck_assert_uint_gt(n, 100000);
        json_decref(profile);
}
END_TEST

/* The machine's other ABIs must not be a way around. */
START_TEST(other_abis_are_judged_by_name_too) {
        static const struct {
                uint32_t arch, audit;
                int offset;
        } abis[] = {
                { SCMP_ARCH_X86, AUDIT_ARCH_I386, 0 },
                { SCMP_ARCH_X32, AUDIT_ARCH_X86_64, 0x40000000 },
        };
        _cleanup_free_ char *text = NULL;
        json_t *profile = podman_profile(&text);
        Filter f;

        if (!profile)
                return;
        f = filter_compile(NULL, CAPS_DEFAULT);
        for (size_t a = 0; a < ELEMENTSOF(abis); a++)
                for (int number = 0; number < CALL_MAX; number++) {
                        _cleanup_free_ char *name =
                                seccomp_syscall_resolve_num_arch(abis[a].arch, number + abis[a].offset);
                        struct seccomp_data d = { .nr = number + abis[a].offset, .arch = abis[a].audit };

                        if (name && streq(name, "socketcall"))
                                continue; /* its arguments are in memory, which no filter sees */
                        ck_assert_msg(filter_run(&f, &d) == profile_says(profile, name ?: "", arguments[0], CAPS_DEFAULT),
                                "%s of ABI %zu", name ?: "?", a);
                }
        free(f.code);
        json_decref(profile);
}
END_TEST

START_TEST(an_unknown_architecture_kills) {
        Filter f = filter_compile(NULL, CAPS_ALL);
        struct seccomp_data d = { .nr = 0, .arch = AUDIT_ARCH_AARCH64 };
        uint32_t action = filter_run(&f, &d) & SECCOMP_RET_ACTION_FULL;

        ck_assert(action == SECCOMP_RET_KILL_THREAD || action == SECCOMP_RET_KILL_PROCESS);
        free(f.code);
}
END_TEST

#define RULE(rest) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"]," rest "}]}"

START_TEST(what_is_not_understood_is_refused) {
        static const struct {
                const char *profile, *word;
        } cases[] = {
                { "", "not JSON" },
                { "[]", "object" },
                { "{}", "defaultAction" },
                { "{\"defaultAction\":\"SCMP_ACT_MAYBE\"}", "SCMP_ACT_MAYBE" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"surprise\":1}", "surprise" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultAction\":\"SCMP_ACT_KILL\"}", "not JSON" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_Z80\"]}", "SCMP_ARCH_Z80" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]}", "FLAG_LOG" },
                { "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"frobnicate\"],"
                  "\"action\":\"SCMP_ACT_ERRNO\"}]}", "frobnicate" },
                { RULE("\"action\":\"SCMP_ACT_NOTIFY\""), "SCMP_ACT_NOTIFY" },
                { RULE("\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]"),
                        "argument" },
                { RULE("\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":0,\"op\":\"SCMP_CMP_OR\"}]"),
                        "SCMP_CMP_OR" },
                { RULE("\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_FLY\"]}"), "CAP_FLY" },
                { RULE("\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"moon\":\"full\"}"), "moon" },
                { RULE("\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"EWHAT\""), "EWHAT" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
                Error error = { 0 };

                ck_assert_msg(seccomp_compile(cases[i].profile, 0, fd, &error) < 0, "%s", cases[i].profile);
                ck_assert_msg(strstr(error.text, cases[i].word) != NULL, "%s", error.text);
        }
}
END_TEST

static uint32_t ask(const Filter *f, const char *call, uint64_t arg0) {
        struct seccomp_data d = {
                .nr = seccomp_syscall_resolve_name(call),
                .arch = AUDIT_ARCH_X86_64,
                .args = { arg0 },
        };

        return filter_run(f, &d);
}

START_TEST(a_dockers_profile_with_all_its_keys) {
        static const char text[] =
                "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,"
                "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]},"
                "{\"architecture\":\"SCMP_ARCH_AARCH64\",\"subArchitectures\":[\"SCMP_ARCH_ARM\"]}],"
                "\"syscalls\":["
                "{\"names\":[\"read\",\"frobnicate\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":null},"
                "{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4.8\"}},"
                "{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"99.0\"}},"
                "{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":2114060288,"
                "\"op\":\"SCMP_CMP_MASKED_EQ\"}],\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"],\"arches\":[\"s390\"]}},"
                "{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38},"
                "{\"name\":\"close\",\"action\":\"SCMP_ACT_LOG\"},"
                "{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},"
                "{\"names\":[\"lseek\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
                "{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":7,\"op\":\"SCMP_CMP_EQ\"}]}]}";
        Filter f = filter_compile(text, 0);

        ck_assert_uint_eq(ask(&f, "read", 0), SECCOMP_RET_ALLOW);
        ck_assert_uint_eq(ask(&f, "ptrace", 0), SECCOMP_RET_ALLOW);
        ck_assert_uint_eq(ask(&f, "write", 0), SECCOMP_RET_ERRNO | 1);
        ck_assert_uint_eq(ask(&f, "clone", 17), SECCOMP_RET_ALLOW);
        ck_assert_uint_eq(ask(&f, "clone", 0x10000000), SECCOMP_RET_ERRNO | 1);
        ck_assert_uint_eq(ask(&f, "clone3", 0), SECCOMP_RET_ERRNO | 38);
        ck_assert_uint_eq(ask(&f, "close", 0), SECCOMP_RET_LOG);
        ck_assert_uint_eq(ask(&f, "dup", 0), SECCOMP_RET_KILL_PROCESS);
        ck_assert_uint_eq(ask(&f, "lseek", 5), SECCOMP_RET_ALLOW);
        ck_assert_uint_eq(ask(&f, "lseek", 7), SECCOMP_RET_ALLOW);
        ck_assert_uint_eq(ask(&f, "lseek", 6), SECCOMP_RET_ERRNO | 1);
        free(f.code);
}
END_TEST

START_TEST(the_cache_knows_what_a_filter_depends_on) {
        static const char *const profiles[] = { NULL, "", "default", "{}" };
        char *names[ELEMENTSOF(profiles) * 2];
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(profiles); i++)
                for (uint64_t caps = 0; caps < 2; caps++)
                        names[n++] = seccomp_cache_name(profiles[i], caps);
        for (size_t i = 0; i < n; i++) {
                ck_assert_ptr_nonnull(str_after(names[i], "seccomp-"));
                for (size_t j = 0; j < i; j++)
                        ck_assert_str_ne(names[i], names[j]);
        }
        while (n > 0)
                free(names[--n]);
}
END_TEST

START_TEST(a_damaged_or_foreign_cache_entry_is_not_used) {
        char directory[] = "/tmp/berth-test-cache.XXXXXX";
        _cleanup_close_ int dir = -EBADF;
        int fd;

        temporary_make(directory);
        dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(seccomp_cached("/nonexistent/cache", "f"), -ENOENT);
        ck_assert_int_eq(seccomp_cached(directory, "f"), -ENOENT);
        ck_assert_int_eq(write_file(dir, "f", "12345678", 8, 0644, false), 0);
        fd = seccomp_cached(directory, "f");
        ck_assert_int_ge(fd, 0);
        fd_close(fd);
        ck_assert_int_eq(write_file(dir, "cut", "1234567", 7, 0644, false), 0);
        ck_assert_int_eq(seccomp_cached(directory, "cut"), -ENOENT);
        ck_assert_int_eq(write_file(dir, "empty", "", 0, 0644, false), 0);
        ck_assert_int_eq(seccomp_cached(directory, "empty"), -ENOENT);
        ck_assert_int_eq(write_file(dir, "open", "12345678", 8, 0666, false), 0);
        ck_assert_int_eq(seccomp_cached(directory, "open"), -ENOENT);
        ck_assert_int_eq(symlinkat("f", dir, "link"), 0);
        ck_assert_int_eq(seccomp_cached(directory, "link"), -ENOENT);
        temporary_remove();
}
END_TEST

int main(void) {
        Suite *s = suite_create("sandbox-seccomp");
        TCase *c = tcase_create("seccomp");

        tcase_set_timeout(c, 120);
        tcase_add_test(c, the_default_is_podmans_call_by_call);
        tcase_add_test(c, other_abis_are_judged_by_name_too);
        tcase_add_test(c, an_unknown_architecture_kills);
        tcase_add_test(c, what_is_not_understood_is_refused);
        tcase_add_test(c, a_dockers_profile_with_all_its_keys);
        tcase_add_test(c, the_cache_knows_what_a_filter_depends_on);
        tcase_add_test(c, a_damaged_or_foreign_cache_entry_is_not_used);
        suite_add_tcase(s, c);
        return suite_run(s);
}
