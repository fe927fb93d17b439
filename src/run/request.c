/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "run/control.h"
#include "run/fields.h"
#include "run/request.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

#define REQUEST_SIZE_MAX (16U * 1024)
#define REQUEST_AGE_MAX 3600 /* seconds: then its reload, which may have to wait for another one, will not come any more */

static const Field request_fields[] = {
        { "author",    FIELD_STRING,   offsetof(Request, author)    },
        { "means",     FIELD_STRING,   offsetof(Request, means)     },
        { "reason",    FIELD_STRING,   offsetof(Request, reason)    },
        { "formation", FIELD_UNSIGNED, offsetof(Request, formation) },
};

void request_clear(Request *r) {
        fields_clear(r, request_fields, ELEMENTSOF(request_fields));
        *r = (Request){ 0 };
}

static char *path_of(const char *app) {
        return str_format(BERTH_RUN_DIR "/%s/request", app);
}

/* The user that a login began with, whoever the process became since; proc(5), /proc/PID/loginuid. */
static uid_t login_uid(void) {
        _cleanup_free_ char *text = NULL;
        unsigned long uid;

        if (read_file(AT_FDCWD, "/proc/self/loginuid", 32, &text, NULL) < 0)
                return (uid_t) -1;
        uid = strtoul(text, NULL, 10);
        return uid > UINT32_MAX ? (uid_t) -1 : (uid_t) uid;
}

const char *request_user(uid_t uid, char name[static REQUEST_NAME_MAX]) {
        const struct passwd *user = getpwuid(uid);

        if (user)
                (void) snprintf(name, REQUEST_NAME_MAX, "%s", user->pw_name);
        else
                (void) snprintf(name, REQUEST_NAME_MAX, "%u", (unsigned) uid);
        return name;
}

const char *request_author(void) {
        static char name[REQUEST_NAME_MAX];
        const char *sudo = getenv("SUDO_USER");
        uid_t uid = login_uid();
        const struct passwd *user = uid == (uid_t) -1 && sudo && *sudo ? getpwnam(sudo) : NULL;

        return request_user(user ? user->pw_uid : uid == (uid_t) -1 ? getuid() : uid, name);
}

int request_write(const char *app, const char *author, const char *means, const char *reason, bool formation) {
        const Request request = { .author = (char *) (author ? author : request_author()), .means = (char *) means, .reason = (char *) reason, .formation = formation };
        _cleanup_free_ char *path = path_of(app);
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = path ? fields_put(&b, &request, request_fields, ELEMENTSOF(request_fields)) : -ENOMEM;

        if (r >= 0)
                r = write_file(AT_FDCWD, path, b.data, b.size, 0600, false);
        /* Not so for a formation: what systemd asks for after it would not know that it is one. */
        if (r >= 0 && !formation)
                control_overtake(app);
        return r;
}

static bool is_fresh(const char *path) {
        struct stat st;

        return stat(path, &st) >= 0 && time(NULL) - st.st_mtime <= REQUEST_AGE_MAX;
}

int request_take(const char *app, Request *ret) {
        _cleanup_free_ char *path = path_of(app), *text = NULL;
        _cleanup_request_ Request request = { 0 };
        char *rest, *key, *value;
        int r = 0;

        if (!path)
                return -ENOMEM;
        if (is_fresh(path) && read_file(AT_FDCWD, path, REQUEST_SIZE_MAX, &text, NULL) >= 0)
                for (rest = text; r >= 0 && fields_line(&rest, &key, &value) > 0;)
                        r = fields_set(&request, request_fields, ELEMENTSOF(request_fields), key, value);
        (void) unlink(path);
        if (r >= 0 && !request.means) {
                request.author = strdup("root");
                request.means = strdup("systemctl");
        }
        if (r >= 0)
                r = fields_complete(&request, request_fields, ELEMENTSOF(request_fields));
        if (r < 0)
                return r;
        *ret = request;
        request = (Request){ 0 };
        return 0;
}
