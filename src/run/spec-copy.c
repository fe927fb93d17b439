/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>

#include "run/spec-copy.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

#define ORIGINS_SIZE_MAX ((size_t) SPEC_FRAGMENTS_MAX * PATH_MAX)

static int copy_file(const char *from, const char *to) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r = read_file(AT_FDCWD, from, SPEC_FILE_SIZE_MAX, &data, &size);

        return r < 0 ? r : write_file(AT_FDCWD, to, data, size, 0600, true);
}

/* The paths of the originals, each with its NUL, in the order of the fragments. */
static int origins_store(const Spec *spec, const char *directory) {
        _cleanup_free_ char *to = str_format("%s/origins", directory);
        _cleanup_buf_ Buf b = BUF_INIT;

        if (!to)
                return -ENOMEM;
        for (char **path = spec->fragments; *path; path++)
                if (buf_append(&b, *path, strlen(*path) + 1) < 0)
                        return -ENOMEM;
        return write_file(AT_FDCWD, to, b.data, b.size, 0600, true);
}

static int origins_load(const char *directory, char ***ret) {
        _cleanup_free_ char *from = str_format("%s/origins", directory), *data = NULL;
        _cleanup_strv_ char **origins = NULL;
        size_t size;
        int r;

        if (!from)
                return -ENOMEM;
        r = read_file(AT_FDCWD, from, ORIGINS_SIZE_MAX, &data, &size);
        for (size_t at = 0; r >= 0 && at < size; at += strlen(data + at) + 1)
                r = strv_append(&origins, data + at);
        if (r >= 0)
                *ret = TAKE_PTR(origins);
        return r;
}

/* The first fragment is the spec, or the template that it is an instance of; its drop-ins apply to the same name. */
static int spec_store(const Spec *spec, const char *directory) {
        const char *base = strrchr(spec->fragments[0], '/');
        _cleanup_free_ char *drop_ins = NULL;
        int r = 0;

        base = base ? base + 1 : spec->fragments[0];
        drop_ins = str_format("%s/%s.d", directory, base);
        if (!drop_ins)
                return -ENOMEM;
        r = mkdir_parents(AT_FDCWD, drop_ins, 0700);
        for (unsigned i = 0; spec->fragments[i] && r >= 0; i++) {
                _cleanup_free_ char *to = i == 0 ? str_format("%s/%s", directory, base) : str_format("%s/%04u.conf", drop_ins, i);

                if (!to)
                        return -ENOMEM;
                r = copy_file(spec->fragments[i], to);
        }
        return r < 0 ? r : origins_store(spec, directory);
}

/* What Image=NAME.image meant when the spec was read. A name of an image has nothing that a file would have to escape. */
static int image_files_store(const Spec *spec, const char *directory) {
        int r = 0;

        for (size_t i = 0; i < spec->n_processes && r >= 0; i++) {
                const SpecProcess *p = spec->processes + i;
                _cleanup_free_ char *to = NULL, *text = NULL;

                if (!p->image_file)
                        continue;
                to = str_format("%s/%s.image", directory, p->image_file);
                text = str_format("[Image]\nImage=%s\n", p->image.value);
                r = to && text ? write_file(AT_FDCWD, to, text, strlen(text), 0600, true) : -ENOMEM;
        }
        return r;
}

/* Lines of one key, none of whose values has anything that a file would have to escape. */
static int put_texts(Buf *b, const char *key, const SpecText *items, size_t n) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                if (items[i].value)
                        r = buf_printf(b, "%s=%s\n", key, items[i].value);
        return r;
}

/* Likewise what Network=NAME.network meant. */
static int network_file_put(Buf *b, const Spec *file) {
        const SpecNetworkFile *n = &file->net;
        int r = buf_printf(b, "[Network]\nNetworkName=%s\nInternal=%d\nIPv6=%d\nDisableDNS=%d\nOptions=isolate=%d\n", spec_network_name(file),
                n->internal.value, n->ipv6.value, n->disable_dns.value, n->isolate.value != 0);

        if (r >= 0 && n->mtu.set)
                r = buf_printf(b, "Options=mtu=%u\n", (unsigned) n->mtu.value);
        if (r >= 0)
                r = put_texts(b, "Subnet", n->subnets.items, n->subnets.n);
        if (r >= 0)
                r = put_texts(b, "Gateway", n->gateways.items, n->gateways.n);
        if (r >= 0)
                r = put_texts(b, "IPRange", n->ranges.items, n->ranges.n);
        if (r >= 0)
                r = put_texts(b, "DNS", n->dns.items, n->dns.n);
        return r < 0 ? r : put_texts(b, "InterfaceName", &n->interface_name, 1);
}

static int network_files_store(const Spec *spec, const char *directory) {
        int r = 0;

        for (size_t i = 0; i < spec->n_processes && r >= 0; i++) {
                const SpecProcess *p = spec->processes + i;
                _cleanup_free_ char *to = NULL;
                _cleanup_buf_ Buf b = BUF_INIT;

                if (!p->network_spec)
                        continue;
                to = str_format("%s/%s.network", directory, p->network_file);
                r = to ? network_file_put(&b, p->network_spec) : -ENOMEM;
                if (r >= 0)
                        r = write_file(AT_FDCWD, to, b.data, b.size, 0600, true);
        }
        return r;
}

/* ---- environment files ---- */

static char *env_file_copy(const char *directory, size_t process, size_t file) {
        return str_format("%s/env/%zu.%zu", directory, process, file);
}

static int env_file_store(const Spec *spec, const SpecEnvFile *file, const char *to, Error *reterr) {
        char origin[512];
        int r = copy_file(file->path, to);

        if (r >= 0 || (r == -ENOENT && file->optional))
                return 0;
        return error_set_errno(reterr, r, "%s: cannot read environment file '%s'", spec_origin_text(spec, file->origin, origin, sizeof(origin)),
                file->path);
}

static int env_files_store(const Spec *spec, const char *directory, Error *reterr) {
        _cleanup_free_ char *env = str_format("%s/env", directory);
        int r = env ? 0 : -ENOMEM;

        for (size_t i = 0; i < spec->n_processes && r >= 0; i++) {
                const SpecProcess *p = spec->processes + i;

                if (p->environment_files.n > 0)
                        r = mkdir_parents(AT_FDCWD, env, 0700);
                for (size_t k = 0; k < p->environment_files.n && r >= 0; k++) {
                        _cleanup_free_ char *to = env_file_copy(directory, i, k);

                        r = to ? env_file_store(spec, &p->environment_files.items[k], to, reterr) : -ENOMEM;
                }
        }
        return r;
}

/* The copies take the places of the originals; a file that was missing is still missing. */
static int env_files_load(Spec *spec, const char *directory) {
        for (size_t i = 0; i < spec->n_processes; i++)
                for (size_t k = 0; k < spec->processes[i].environment_files.n; k++) {
                        char *copy = env_file_copy(directory, i, k);

                        if (!copy)
                                return -ENOMEM;
                        free(spec->processes[i].environment_files.items[k].path);
                        spec->processes[i].environment_files.items[k].path = copy;
                }
        return 0;
}

int spec_copy_store(const Spec *spec, const char *directory, Error *reterr) {
        int r = spec_store(spec, directory);

        if (r >= 0)
                r = image_files_store(spec, directory);
        if (r >= 0)
                r = network_files_store(spec, directory);
        if (r >= 0)
                r = env_files_store(spec, directory, reterr);
        return r < 0 && !*reterr->text ? error_set_errno(reterr, r, "cannot keep a copy of the spec in '%s'", directory) : r;
}

int spec_copy_load(const char *name, const char *directory, Spec **ret) {
        _cleanup_strv_ char **origins = NULL;
        _cleanup_(spec_freep) Spec *spec = NULL;
        int r;

        r = origins_load(directory, &origins);
        if (r >= 0)
                r = spec_load_copy(name, directory, origins, NULL, &spec);
        if (r >= 0)
                r = env_files_load(spec, directory);
        if (r >= 0)
                *ret = TAKE_PTR(spec);
        return r;
}
