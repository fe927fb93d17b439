/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/name.h"
#include "image/oci.h"
#include "image/store.h"
#include "image/store-internal.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

#define WANT_SIZE_MAX ((DIGEST_LENGTH + 1) * OCI_LAYERS_MAX)

static void want_path(const char *manifest, char ret[static sizeof("want/") + DIGEST_HEX_LENGTH]) {
        (void) snprintf(ret, sizeof("want/") + DIGEST_HEX_LENGTH, "want/%s", digest_hex(manifest));
}

int store_want(Store *store, const char *manifest, char *const *diff_ids) {
        char path[sizeof("want/") + DIGEST_HEX_LENGTH];
        _cleanup_buf_ Buf text = BUF_INIT;

        want_path(manifest, path);
        for (; *diff_ids; diff_ids++)
                if (buf_printf(&text, "%s\n", *diff_ids) < 0)
                        return -ENOMEM;
        if (mkdirat(store->fd, "want", 0700) < 0 && errno != EEXIST)
                return -errno;
        /* Nothing is lost when a power cut takes it: the layers are downloaded again. */
        return write_file(store->fd, path, text.data, text.size, 0600, false);
}

void store_want_done(Store *store, const char *manifest) {
        char path[sizeof("want/") + DIGEST_HEX_LENGTH];

        want_path(manifest, path);
        (void) unlinkat(store->fd, path, 0);
}

/* Written more than STORE_WANT_SECONDS ago, or by a clock that went wrong. */
static bool is_old(int dir, const char *name) {
        struct stat st;
        time_t age;

        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return false;
        age = time(NULL) - st.st_mtime;
        return age > STORE_WANT_SECONDS || age < -STORE_WANT_SECONDS;
}

/* A file that cannot be read wants nothing. */
static int add_layers(int dir, const char *name, char ***layers) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r = read_file(dir, name, WANT_SIZE_MAX, &text, NULL);

        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (rest = text; (line = strsep(&rest, "\n"));)
                if (digest_valid(line) && strv_append(layers, line) < 0)
                        return -ENOMEM;
        return 0;
}

int store_wanted(Store *store, char ***layers) {
        int fd = openat(store->fd, "want", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!d) {
                r = -errno;
                fd_close(fd);
                return r == -ENOENT ? 0 : r;
        }
        while (r >= 0 && (entry = readdir(d))) {
                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                if (is_old(dirfd(d), entry->d_name))
                        (void) unlinkat(dirfd(d), entry->d_name, 0);
                else if (entry->d_name[0] != '.')
                        r = add_layers(dirfd(d), entry->d_name, layers);
        }
        closedir(d);
        return r;
}
