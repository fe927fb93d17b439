/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "net/network-internal.h"
#include "net/network-list.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

/* The names in a directory, sorted; none where there is no such directory. */
static int names_read(const char *path, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(AT_FDCWD, path, &d);

        if (r == -ENOENT)
                r = 0;
        for (struct dirent *e; d && r >= 0 && (e = readdir(d));)
                if (e->d_name[0] != '.')
                        r = strv_append(&names, e->d_name);
        if (r < 0)
                return r;
        if (names)
                strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

/* The files below BERTH_BRIDGE_DIR say whose bridge each is. */
static int bridge_find(char *const *bridges, const char *network, char **ret) {
        for (char *const *b = bridges; b && *b; b++) {
                _cleanup_free_ char *path = str_format(BERTH_BRIDGE_DIR "/%s", *b), *text = NULL;

                if (!path)
                        return -ENOMEM;
                if (read_file(AT_FDCWD, path, NAME_MAX, &text, NULL) < 0 || !streq(text, network))
                        continue;
                *ret = strdup(*b);
                return *ret ? 0 : -ENOMEM;
        }
        return 0;
}

static int holders_read(const char *network, char ***ret) {
        _cleanup_free_ char *directory = str_format(BERTH_NETWORK_DIR "/%s", network);
        _cleanup_strv_ char **names = NULL;
        int r = directory ? names_read(directory, &names) : -ENOMEM;

        for (char **name = names; name && *name && r >= 0; name++) {
                _cleanup_free_ char *path = str_format("%s/%s", directory, *name);
                char holder[PATH_MAX];
                ssize_t n;
                Address a;

                if (!path)
                        return -ENOMEM;
                n = address_parse(*name, &a) >= 0 ? readlink(path, holder, sizeof(holder)) : -1;
                if (n > 0)
                        r = strv_appendf(ret, "%s %.*s", *name, (int) n, holder);
        }
        return r;
}

static int entry_read(NetworkEntry *e, const char *name, char *const *bridges) {
        int r = subnets_read(name, e->subnets);

        e->name = strdup(name);
        if (!e->name)
                return -ENOMEM;
        if (r >= 0)
                r = bridge_find(bridges, name, &e->bridge);
        return r < 0 ? r : holders_read(name, &e->holders);
}

int network_list(NetworkEntry **ret, size_t *ret_n) {
        _cleanup_strv_ char **names = NULL, **bridges = NULL;
        NetworkEntry *items = NULL;
        size_t n = 0;
        int r = names_read(BERTH_NETWORK_DIR, &names);

        if (r >= 0)
                r = names_read(BERTH_BRIDGE_DIR, &bridges);
        if (r >= 0 && !(items = calloc(strv_length(names) + 1, sizeof(*items))))
                r = -ENOMEM;
        for (; r >= 0 && n < strv_length(names); n++)
                r = entry_read(&items[n], names[n], bridges);
        if (r < 0) {
                network_list_free(items, n);
                return r;
        }
        *ret = items;
        *ret_n = n;
        return 0;
}

void network_list_free(NetworkEntry *items, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(items[i].name);
                free(items[i].bridge);
                strv_free(items[i].holders);
        }
        free(items);
}
