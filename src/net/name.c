/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/name.h"
#include "util/fd.h"
#include "util/strv.h"

#define LABEL_MAX 63
#define PUBLISH_TRIES 64 /* somebody else may take the empty directory away each time */

int name_normalize(const char *name, char ret[NAME_SIZE_MAX]) {
        size_t n = strlen(name), label = 0;

        if (n > 0 && name[n - 1] == '.')
                n--;
        if (n == 0 || n >= NAME_SIZE_MAX)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                char c = name[i];

                if (c >= 'A' && c <= 'Z')
                        c = (char) (c - 'A' + 'a');
                label = c == '.' ? 0 : label + 1;
                /* A name is a file's name, too: none begins with a dot. */
                if ((c == '.' && (i == 0 || name[i - 1] == '.')) || label > LABEL_MAX)
                        return -EINVAL;
                if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
                        return -EINVAL;
                ret[i] = c;
        }
        ret[n] = 0;
        if (n > strlen("." NAME_DOMAIN) && str_ends_with(ret, "." NAME_DOMAIN))
                ret[n - strlen("." NAME_DOMAIN)] = 0;
        return 0;
}

static char *name_path(const char *dir, const char *network, const char *name) {
        return str_format("%s/%s/%s", dir, network, name);
}

int name_publish(const char *dir, const char *network, const char *name, const Address *address) {
        _cleanup_free_ char *path = name_path(dir, network, name), *file = NULL;
        int r = 0;

        file = path ? str_format("%s/%s", path, address_text(address).text) : NULL;
        if (!file)
                return -ENOMEM;
        for (int i = 0; i < PUBLISH_TRIES; i++) {
                _cleanup_close_ int fd = -EBADF;

                r = mkdir_parents(AT_FDCWD, path, 0755);
                if (r < 0)
                        return r;
                fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
                if (fd >= 0)
                        return 0;
                r = -errno;
                if (r != -ENOENT)
                        break;
        }
        return r;
}

void name_withdraw(const char *dir, const char *network, const char *name, const Address *address) {
        _cleanup_free_ char *path = name_path(dir, network, name), *file = NULL;

        file = path ? str_format("%s/%s", path, address_text(address).text) : NULL;
        if (!file)
                return;
        (void) unlink(file);
        (void) rmdir(path); /* fails where others have the name, too */
}

void name_withdraw_all(const char *dir, const char *network, const Address *address) {
        _cleanup_free_ char *path = str_format("%s/%s", dir, network);
        _cleanup_closedir_ DIR *d = NULL;

        if (!path || dir_open(AT_FDCWD, path, &d) < 0)
                return;
        for (struct dirent *entry; (entry = readdir(d));)
                if (*entry->d_name != '.')
                        name_withdraw(dir, network, entry->d_name, address);
}

static size_t lookup_in(int dir, const char *path, Address ret[NAME_ADDRESSES_MAX], size_t n) {
        _cleanup_closedir_ DIR *d = NULL;

        if (dir_open(dir, path, &d) < 0)
                return n;
        for (struct dirent *entry; n < NAME_ADDRESSES_MAX && (entry = readdir(d));)
                if (*entry->d_name != '.' && address_parse(entry->d_name, &ret[n]) >= 0)
                        n++;
        return n;
}

/* Clients take the first: each is to be it now and then. */
static void shuffle(Address *a, size_t n) {
        for (size_t i = n; i > 1; i--) {
                uint32_t random = 0;
                Address t;

                (void) getrandom(&random, sizeof(random), GRND_NONBLOCK);
                t = a[i - 1];
                a[i - 1] = a[random % i];
                a[random % i] = t;
        }
}

size_t name_lookup(const char *dir, const char *network, const char *name, Address ret[NAME_ADDRESSES_MAX]) {
        size_t n = 0;

        if (network) {
                _cleanup_free_ char *path = name_path(dir, network, name);

                n = path ? lookup_in(AT_FDCWD, path, ret, 0) : 0;
        } else {
                _cleanup_closedir_ DIR *d = NULL;

                if (dir_open(AT_FDCWD, dir, &d) < 0)
                        return 0;
                for (struct dirent *entry; (entry = readdir(d));) {
                        _cleanup_free_ char *path = str_format("%s/%s", entry->d_name, name);

                        if (path && *entry->d_name != '.')
                                n = lookup_in(dirfd(d), path, ret, n);
                }
        }
        shuffle(ret, n);
        return n;
}
