/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/registry/tls.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

void tls_clear(HttpTls *tls) {
        free(tls->ca);
        free(tls->cert);
        free(tls->key);
        *tls = (HttpTls){ 0 };
}

static int add_ca(int dir, const char *path, const char *file, Buf *ca, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = read_file(dir, file, TLS_CA_SIZE_MAX - ca->size, &text, &size);

        if (r == -E2BIG)
                return error_set(reterr, r, "the certificates in %s have more than %u bytes", path, TLS_CA_SIZE_MAX);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read %s/%s", path, file);
        r = buf_append(ca, text, size);
        return r < 0 ? r : buf_putc(ca, '\n');
}

/* file without its suffix has the other one too. */
static int partner(int dir, const char *path, const char *file, const char *other, char **ret, Error *reterr) {
        _cleanup_free_ char *name = str_format("%.*s%s", (int) (strrchr(file, '.') - file), file, other);

        if (!name)
                return -ENOMEM;
        if (faccessat(dir, name, F_OK, 0) < 0)
                return error_set(reterr, -EBADMSG, "%s/%s lacks its %s beside it", path, file, name);
        *ret = str_format("%s/%s", path, name);
        return *ret ? 0 : -ENOMEM;
}

static int add_pair(int dir, const char *path, const char *file, HttpTls *tls, Error *reterr) {
        if (tls->cert)
                return error_set(reterr, -E2BIG, "%s has more than one client certificate: %s and %s", path, strrchr(tls->cert, '/') + 1, file);
        tls->cert = str_format("%s/%s", path, file);
        return tls->cert ? partner(dir, path, file, ".key", &tls->key, reterr) : -ENOMEM;
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int take_file(int dir, const char *path, const char *file, HttpTls *tls, Buf *ca, Error *reterr) {
        _cleanup_free_ char *unused = NULL;

        if (str_ends_with(file, ".crt"))
                return add_ca(dir, path, file, ca, reterr);
        if (str_ends_with(file, ".cert"))
                return add_pair(dir, path, file, tls, reterr);
        if (str_ends_with(file, ".key"))
                return partner(dir, path, file, ".cert", &unused, reterr);
        return 0;
}

int tls_load_directory(const char *path, HttpTls *ret, Error *reterr) {
        _cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(tls_clear) HttpTls tls = { 0 };
        _cleanup_buf_ Buf ca = BUF_INIT;
        struct dirent **entries;
        int n, r = 0;

        if (dir < 0)
                return errno == ENOENT ? -ENOENT : error_set_errno(reterr, -errno, "cannot open %s", path);
        n = scandirat(dir, ".", &entries, NULL, by_bytes);
        if (n < 0)
                return error_set_errno(reterr, -errno, "cannot list %s", path);
        if (n > TLS_FILES_MAX)
                r = error_set(reterr, -E2BIG, "%s has more than %d files", path, TLS_FILES_MAX);
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = take_file(dir, path, entries[i]->d_name, &tls, &ca, reterr);
                free(entries[i]);
        }
        free(entries);
        if (r >= 0 && ca.size > 0) {
                tls.ca = buf_steal(&ca);
                if (!tls.ca)
                        r = -ENOMEM;
        }
        if (r < 0)
                return r;
        *ret = tls;
        tls = (HttpTls){ 0 };
        return 0;
}

int tls_load(const char *host, const char *directory, HttpTls *ret, Error *reterr) {
        static const char *const directories[] = { "/etc/containers/certs.d", "/etc/docker/certs.d" };

        if (directory) {
                int r = tls_load_directory(directory, ret, reterr);

                return r == -ENOENT ? error_set_errno(reterr, r, "cannot open %s", directory) : r;
        }
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_free_ char *path = str_format("%s/%s", directories[i], host);
                int r = path ? tls_load_directory(path, ret, reterr) : -ENOMEM;

                if (r != -ENOENT)
                        return r;
        }
        return 0;
}
