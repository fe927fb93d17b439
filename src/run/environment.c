/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "run/environment.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

#define ENVIRONMENT_FILE_MAX (1024U * 1024)
#define SECRET_MAX (512U * 1000) /* as Podman */
#define ORIGIN_MAX 512

/* Variables of the supervisor that are about the supervisor. */
static const char *const own_variables[] = {
        "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "JOURNAL_STREAM", "INVOCATION_ID",
        "MAINPID", "SYSTEMD_EXEC_PID", "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE", "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE", "CREDENTIALS_DIRECTORY", "RUNTIME_DIRECTORY",
};

static int env_put(char ***env, const char *line) {
        const char *equals = strchr(line, '=');
        _cleanup_free_ char *name = NULL;

        if (!equals || equals == line)
                return 0;
        name = strndup(line, (size_t) (equals - line));
        return name ? spec_env_set(env, name, equals + 1) : -ENOMEM;
}

static bool own_variable(const char *line) {
        for (size_t i = 0; i < ELEMENTSOF(own_variables); i++) {
                const char *rest = str_after(line, own_variables[i]);

                if (rest && *rest == '=')
                        return true;
        }
        return false;
}

static int env_put_file(const Spec *spec, const SpecEnvFile *f, char ***env, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        char origin[ORIGIN_MAX];
        int r;

        r = read_file(AT_FDCWD, f->path, ENVIRONMENT_FILE_MAX, &text, NULL);
        if (r == -ENOENT && f->optional)
                return 0;
        if (r < 0)
                return error_set_errno(reterr, r, "%s: cannot read environment file '%s'",
                        spec_origin_text(spec, f->origin, origin, sizeof(origin)), f->path);
        r = spec_env_parse(text, env);
        if (r < 0)
                return error_set_errno(reterr, r, "%s: cannot understand environment file '%s'",
                        spec_origin_text(spec, f->origin, origin, sizeof(origin)), f->path);
        return 0;
}

int secret_read(const Spec *spec, const SpecSecret *secret, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_free_ char *path = str_format(BERTH_SECRET_DIR "/%s", secret->name);
        char origin[ORIGIN_MAX];
        int r;

        if (!path)
                return -ENOMEM;
        r = read_file(AT_FDCWD, path, SECRET_MAX, ret, ret_size);
        if (r < 0)
                return error_set_errno(reterr, r, "%s: cannot read secret '%s' from '%s'",
                        spec_origin_text(spec, secret->origin, origin, sizeof(origin)), secret->name, path);
        return 0;
}

static int env_put_secret(const Spec *spec, const SpecSecret *secret, char ***env, Error *reterr) {
        _cleanup_free_ char *value = NULL;
        size_t size;
        int r;

        if (!secret->env)
                return 0;
        r = secret_read(spec, secret, &value, &size, reterr);
        if (r < 0)
                return r;
        if (strlen(value) != size)
                return error_set(reterr, -EINVAL, "secret '%s' has a zero byte in it and cannot be a variable", secret->name);
        return spec_env_set(env, secret->target, value);
}

static int env_put_names(const SpecProcess *p, const EnvironmentNames *names, char ***env) {
        char number[sizeof("v4294967295")];
        int r;

        r = spec_env_set(env, "BERTH_APP", names->app);
        if (r >= 0)
                r = spec_env_set(env, "BERTH_PROCESS", p->name ? p->name : "");
        if (r >= 0)
                r = spec_env_set(env, "BERTH_INSTANCE", names->instance);
        (void) snprintf(number, sizeof(number), "v%u", names->release);
        if (r >= 0)
                r = spec_env_set(env, "BERTH_RELEASE", number);
        for (size_t i = 0; i < p->ports.n; i++)
                if (p->ports.items[i].protocol == SPEC_PROTOCOL_TCP) {
                        (void) snprintf(number, sizeof(number), "%u", p->ports.items[i].container);
                        return r < 0 ? r : spec_env_set(env, "PORT", number);
                }
        return r;
}

int environment_make(const Spec *spec, const SpecProcess *p, const Image *image, const EnvironmentNames *names, char ***ret, Error *reterr) {
        _cleanup_strv_ char **env = NULL;
        int r;

        r = spec_env_set(&env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        if (r >= 0 && p->environment_host.value)
                for (char **e = environ; *e && r >= 0; e++)
                        r = own_variable(*e) ? 0 : env_put(&env, *e);
        if (r >= 0)
                r = spec_env_set(&env, "container", "berth");
        if (r >= 0)
                r = spec_env_set(&env, "HOSTNAME", names->hostname);
        for (char **e = image ? image->env : NULL; e && *e && r >= 0; e++)
                r = env_put(&env, *e);
        if (r >= 0)
                r = env_put_names(p, names, &env);
        for (size_t i = 0; i < p->environment_files.n && r >= 0; i++) {
                r = env_put_file(spec, &p->environment_files.items[i], &env, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < p->environment.n && r >= 0; i++)
                r = spec_env_set(&env, p->environment.items[i].name, p->environment.items[i].value);
        for (size_t i = 0; i < p->secrets.n && r >= 0; i++) {
                r = env_put_secret(spec, &p->secrets.items[i], &env, reterr);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the environment");
        *ret = TAKE_PTR(env);
        return 0;
}

static int command_append(char ***argv, char *const *words) {
        int r = 0;

        for (; words && *words && r >= 0; words++)
                r = strv_append(argv, *words);
        return r;
}

static int command_append_expanded(char ***argv, const SpecCommand *command, char *const *env) {
        _cleanup_strv_ char **words = NULL;
        int r;

        if (!command->words)
                return 0;
        r = spec_command_expand(command->words, env, &words);
        return r < 0 ? r : command_append(argv, words);
}

int command_make(const Spec *spec, const SpecProcess *p, const Image *image, char *const *env, char ***ret, Error *reterr) {
        _cleanup_strv_ char **argv = NULL;
        int r;

        if (p->entrypoint.set)
                r = command_append_expanded(&argv, &p->entrypoint, env);
        else
                r = command_append(&argv, image ? image->entrypoint : NULL);
        if (r >= 0 && p->exec.set)
                r = command_append_expanded(&argv, &p->exec, env);
        else if (r >= 0 && !p->entrypoint.set)
                r = command_append(&argv, image ? image->cmd : NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the command line");
        if (strv_length(argv) == 0 || !*argv[0])
                return error_set(reterr, -ENOEXEC, "%s '%s' has no command of its own, and the spec has none: set Exec=",
                        image ? "image" : "root", image ? p->image.value : p->rootfs.value);
        *ret = TAKE_PTR(argv);
        return 0;
}
