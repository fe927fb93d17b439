/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <spawn.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/profile.h"
#include "sandbox/seccomp.h"
#include "sandbox/world.h"
#include "util/capability.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

/* Runs argv with its standard error in fd. */
static int run_quietly(const char *const *argv, int fd, int *ret_status) {
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int r;

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_adddup2(&actions, fd, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *) argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return -r;
        while (waitpid(pid, ret_status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

/* What `berth seccomp` said, as the reason of a sentence. */
static int compile_error(const char *path, int fd, Error *reterr) {
        _cleanup_free_ char *said = NULL;
        const char *reason;

        if (lseek(fd, 0, SEEK_SET) < 0 || read_fd(fd, ERROR_TEXT_MAX, &said, NULL) < 0 || !*said)
                return error_set(reterr, -EINVAL, "cannot compile the seccomp profile '%s'", path ?: "default");
        reason = str_after(said, "berth: ") ?: said;
        return error_set(reterr, -EINVAL, "cannot compile the seccomp profile '%s': %.*s", path ?: "default",
                (int) strcspn(reason, "\n"), reason);
}

/* Runs `berth seccomp`: the compiler is not in here. */
static int profile_compile(const char *path, uint64_t capabilities, const char *to, Error *reterr) {
        _cleanup_close_ int said = memfd_create("said", MFD_CLOEXEC);
        _cleanup_free_ char *set = NULL;
        const char *argv[8];
        int status = 0, r;
        size_t n = 0;

        if (said < 0)
                return error_set_errno(reterr, -errno, "cannot make a memory file");
        set = str_format("--cap=0x%llx", (unsigned long long) capabilities);
        if (!set)
                return -ENOMEM;
        argv[n++] = BERTH_BINDIR "/berth";
        argv[n++] = "seccomp";
        argv[n++] = set;
        argv[n++] = "--output";
        argv[n++] = to;
        if (path)
                argv[n++] = path;
        argv[n] = NULL;
        r = run_quietly(argv, said, &status);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run '%s'", argv[0]);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : compile_error(path, said, reterr);
}

int profile_open(const SpecProcess *p, Error *reterr) {
        uint64_t capabilities = spec_capabilities(p, CAPABILITIES_DEFAULT, cap_max_bits() - 1);
        _cleanup_free_ char *text = NULL, *name = NULL, *path = NULL;
        int fd, r;

        if (p->seccomp.value) {
                r = read_file(AT_FDCWD, p->seccomp.value, SECCOMP_PROFILE_MAX, &text, NULL);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot read seccomp profile '%s'", p->seccomp.value);
        }
        name = seccomp_cache_name(text, capabilities);
        path = name ? str_format(BERTH_CACHE_DIR "/%s", name) : NULL;
        if (!path)
                return -ENOMEM;
        fd = seccomp_cached(BERTH_CACHE_DIR, name);
        if (fd == -ENOENT) {
                r = mkdir_parents(AT_FDCWD, BERTH_CACHE_DIR, 0755);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot make '%s'", BERTH_CACHE_DIR);
                r = profile_compile(p->seccomp.value, capabilities, path, reterr);
                if (r < 0)
                        return r;
                fd = seccomp_cached(BERTH_CACHE_DIR, name);
        }
        return fd >= 0 ? fd : error_set_errno(reterr, fd, "cannot open compiled seccomp profile '%s'", path);
}

static int stored_path(const char *app, const char *process, unsigned release, char **ret) {
        *ret = str_format(BERTH_RUN_DIR "/%s/seccomp-%s.v%u", app, process ? process : "", release);
        return *ret ? 0 : -ENOMEM;
}

int profile_store(int fd, const char *app, const char *process, unsigned release) {
        _cleanup_free_ char *path = NULL, *data = NULL;
        size_t size;
        int r;

        r = stored_path(app, process, release, &path);
        if (r >= 0)
                r = read_fd(fd, SECCOMP_PROFILE_MAX, &data, &size);
        if (r >= 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        return r < 0 ? r : write_file(AT_FDCWD, path, data, size, 0600, false);
}

void profile_forget(const char *app, const char *process, unsigned release) {
        _cleanup_free_ char *path = NULL;

        if (stored_path(app, process, release, &path) >= 0)
                (void) unlink(path);
}

int profile_stored_open(const char *app, const char *process, unsigned release) {
        _cleanup_free_ char *path = NULL;
        int fd, r;

        r = stored_path(app, process, release, &path);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}
