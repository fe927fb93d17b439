/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "run/environment.h"
#include "run/files.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

#define HOST_FILE_MAX (1024U * 1024)
#define ZONEINFO "/usr/share/zoneinfo"

/* Takes content over. */
static int file_add(World *w, const char *target, char *content, size_t size, mode_t mode, bool writable) {
        _cleanup_free_ char *own = content, *name = strdup(target);
        WorldFile *p;

        if (!own || !name)
                return -ENOMEM;
        p = reallocarray(w->files, w->n_files + 1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        w->files = p;
        p[w->n_files++] = (WorldFile){
                .target = TAKE_PTR(name), .content = TAKE_PTR(own), .size = size, .mode = mode, .writable = writable,
        };
        return 0;
}

static int file_add_buf(World *w, const char *target, Buf *b) {
        size_t size = b->size;

        return file_add(w, target, buf_steal(b), size, 0644, !w->read_only);
}

/* A file of the host that need not be there. */
static int append_host_file(Buf *b, const char *path) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = read_file(AT_FDCWD, path, HOST_FILE_MAX, &text, &size);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = buf_append(b, text, size);
        if (r >= 0 && size > 0 && text[size - 1] != '\n')
                r = buf_putc(b, '\n');
        return r;
}

static int hosts_make(const SpecProcess *p, const char *container_name, const FilesNetwork *network, World *w) {
        const char *own = network ? network->address : "127.0.0.1";
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = 0;

        for (size_t i = 0; i < p->hosts.n && r >= 0; i++) {
                const SpecHost *h = &p->hosts.items[i];

                r = buf_puts(&b, h->address ? h->address : network ? network->gateway : "127.0.0.1");
                for (char **name = h->names; *name && r >= 0; name++)
                        r = buf_printf(&b, "\t%s", *name);
                if (r >= 0)
                        r = buf_putc(&b, '\n');
        }
        if (r >= 0 && !w->network_namespace)
                r = append_host_file(&b, "/etc/hosts");
        else if (r >= 0)
                r = buf_puts(&b, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
        /* A program that looks its own name up finds it, whether or not a network is there. */
        if (r >= 0)
                r = streq(w->hostname, container_name) ? buf_printf(&b, "%s\t%s\n", own, w->hostname)
                                                       : buf_printf(&b, "%s\t%s %s\n", own, w->hostname, container_name);
        return r < 0 ? r : file_add_buf(w, "/etc/hosts", &b);
}

/* A name server that the host has for itself alone: "nameserver 127.0.0.53". */
static bool is_loopback_server(const char *line) {
        const char *address = str_after(line, "nameserver");

        if (!address)
                return false;
        address += strspn(address, " \t");
        return str_after(address, "127.") || streq(address, "::1");
}

static bool has_server(const char *text) {
        for (const char *line = text; line; line = strchr(line, '\n')) {
                _cleanup_free_ char *copy = NULL;

                line += *line == '\n';
                copy = strndup(line, strcspn(line, "\n"));
                if (copy && str_after(copy, "nameserver") && !is_loopback_server(copy))
                        return true;
        }
        return false;
}

/* The host's resolv.conf; for a network of the instance's own that of systemd-resolved's servers, where the host has but a resolver on
 * loopback. */
static int host_resolv_conf_read(bool own_network, char **ret) {
        static const char *const paths[] = { "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf" };
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < (own_network ? ELEMENTSOF(paths) : 1); i++) {
                int r;

                free(TAKE_PTR(text));
                r = read_file(AT_FDCWD, paths[i], HOST_FILE_MAX, &text, NULL);
                if (r < 0 && r != -ENOENT)
                        return r;
                if (text && (!own_network || has_server(text)))
                        break;
        }
        *ret = TAKE_PTR(text);
        return 0;
}

/* resolv.conf(5). What the spec says takes the place of the host's lines of that kind. */
static int resolv_conf_make(const SpecProcess *p, const FilesNetwork *network, World *w) {
        bool own = network && network->resolver, servers = own || p->dns.n > 0 || (network && (network->dns || network->internal));
        _cleanup_free_ char *host = NULL;
        _cleanup_buf_ Buf b = BUF_INIT;
        char *rest, *line;
        int r = 0;

        if (!w->network_namespace || network) {
                r = host_resolv_conf_read(network, &host);
                if (r < 0)
                        return r;
        }
        rest = host;
        while (rest && r >= 0 && (line = strsep(&rest, "\n"))) {
                if ((network && is_loopback_server(line)) || (servers && str_after(line, "nameserver")) || (p->dns_option.n > 0 && str_after(line, "options")) ||
                        (p->dns_search.n > 0 && (str_after(line, "search") || str_after(line, "domain"))))
                        continue;
                if (*line)
                        r = buf_printf(&b, "%s\n", line);
        }
        if (r >= 0 && p->dns_search.n > 0 && !streq(p->dns_search.items[0].value, ".")) {
                r = buf_puts(&b, "search");
                for (size_t i = 0; i < p->dns_search.n && r >= 0; i++)
                        r = buf_printf(&b, " %s", p->dns_search.items[i].value);
                if (r >= 0)
                        r = buf_putc(&b, '\n');
        }
        if (r >= 0 && own)
                r = buf_printf(&b, "nameserver %s\n", network->resolver);
        for (char *const *s = network && !own && p->dns.n == 0 ? network->dns : NULL; s && *s && r >= 0; s++)
                r = buf_printf(&b, "nameserver %s\n", *s);
        for (size_t i = 0; i < p->dns.n && !own && r >= 0; i++)
                r = buf_printf(&b, "nameserver %s\n", p->dns.items[i].value);
        if (r >= 0 && p->dns_option.n > 0) {
                r = buf_puts(&b, "options");
                for (size_t i = 0; i < p->dns_option.n && r >= 0; i++)
                        r = buf_printf(&b, " %s", p->dns_option.items[i].value);
                if (r >= 0)
                        r = buf_putc(&b, '\n');
        }
        return r < 0 ? r : file_add_buf(w, "/etc/resolv.conf", &b);
}

static int hostname_make(World *w) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_printf(&b, "%s\n", w->hostname);

        return r < 0 ? r : file_add_buf(w, "/etc/hostname", &b);
}

static int timezone_make(const Spec *spec, const SpecProcess *p, World *w, Error *reterr) {
        _cleanup_free_ char *path = NULL, *data = NULL;
        char origin[512];
        size_t size;
        int r;

        if (!p->timezone.value)
                return 0;
        path = streq(p->timezone.value, "local") ? strdup("/etc/localtime") : str_format(ZONEINFO "/%s", p->timezone.value);
        if (!path)
                return -ENOMEM;
        r = read_file(AT_FDCWD, path, HOST_FILE_MAX, &data, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "%s: cannot read time zone '%s' from '%s'",
                        spec_origin_text(spec, p->timezone.origin, origin, sizeof(origin)), p->timezone.value, path);
        return file_add(w, "/etc/localtime", TAKE_PTR(data), size, 0644, false);
}

static int secrets_make(const Spec *spec, const SpecProcess *p, World *w, Error *reterr) {
        for (size_t i = 0; i < p->secrets.n; i++) {
                const SpecSecret *secret = &p->secrets.items[i];
                char *data;
                size_t size;
                int r;

                if (secret->env)
                        continue;
                r = secret_read(spec, secret, &data, &size, reterr);
                if (r < 0)
                        return r;
                r = file_add(w, secret->target, data, size, secret->mode, false);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot keep secret '%s'", secret->name);
                w->files[w->n_files - 1].uid = secret->uid;
                w->files[w->n_files - 1].gid = secret->gid;
        }
        return 0;
}

/* A file that the spec mounts there itself takes the place of ours. */
static void files_drop_mounted(const SpecProcess *p, World *w) {
        size_t kept = 0;

        for (size_t i = 0; i < w->n_files; i++) {
                bool mounted = false;

                for (size_t k = 0; k < p->mounts.n && !mounted; k++)
                        mounted = streq(p->mounts.items[k].target, w->files[i].target);
                if (mounted) {
                        free(w->files[i].target);
                        free(w->files[i].content);
                } else
                        w->files[kept++] = w->files[i];
        }
        w->n_files = kept;
}

int files_make(const Spec *spec, const SpecProcess *p, const char *container_name, const FilesNetwork *network, World *w, Error *reterr) {
        int r;

        r = hosts_make(p, container_name, network, w);
        if (r >= 0)
                r = hostname_make(w);
        if (r >= 0)
                r = resolv_conf_make(p, network, w);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write the instance's /etc/hosts, hostname and resolv.conf");
        r = timezone_make(spec, p, w, reterr);
        if (r >= 0)
                r = secrets_make(spec, p, w, reterr);
        if (r >= 0)
                files_drop_mounted(p, w);
        return r;
}
