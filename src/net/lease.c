/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/lease.h"
#include "util/fd.h"
#include "util/strv.h"

typedef struct Holder {
        char text[PATH_MAX]; /* "APP/INSTANCE"; "" for nobody */
} Holder;

static int holder_read(int dir, const char *address, Holder *ret) {
        ssize_t n = readlinkat(dir, address, ret->text, sizeof(ret->text) - 1);

        ret->text[MAX(n, 0)] = 0;
        return n < 0 && errno != ENOENT && errno != EINVAL ? -errno : 0;
}

/* Forgets a holder that does not exist any more. 1: nobody holds it now; 0: somebody does. */
static int holder_retire(int dir, const LeaseWish *w, const char *address, const Holder *h) {
        _cleanup_free_ char *app = strndup(h->text, strcspn(h->text, "/"));

        if (!app)
                return -ENOMEM;
        if (streq(app, w->app) || w->exists(app))
                return 0;
        return unlinkat(dir, address, 0) < 0 && errno != ENOENT ? -errno : 1;
}

static bool is_usable(const LeaseWish *w, uint64_t number) {
        return number >= w->first && number <= w->last && subnet_number(w->subnet, w->gateway) != number;
}

/* 1: it is ours; 0: it is another's. */
static int take(int dir, const LeaseWish *w, const char *own, const Address *a, Holder *ret_other) {
        AddressText text = address_text(a);
        int r;

        for (;;) {
                if (symlinkat(own, dir, text.text) == 0)
                        return 1;
                if (errno != EEXIST)
                        return -errno;
                r = holder_read(dir, text.text, ret_other);
                if (r < 0)
                        return r;
                if (streq(ret_other->text, own))
                        return 1;
                r = holder_retire(dir, w, text.text, ret_other);
                if (r <= 0)
                        return r;
        }
}

/* What it had before: kept where it will do, else given back. 1: kept. */
static int reuse(int dir, const LeaseWish *w, const char *own, Address *ret) {
        _cleanup_closedir_ DIR *d = NULL;
        bool found = false;
        int r = dir_open(dir, ".", &d);

        for (struct dirent *e; r >= 0 && (e = readdir(d));) {
                Holder h;
                Address a;

                if (address_parse(e->d_name, &a) < 0 || a.family != w->subnet->base.family)
                        continue;
                r = holder_read(dir, e->d_name, &h);
                if (r < 0 || !streq(h.text, own))
                        continue;
                if (!found && (w->fixed ? address_equal(w->fixed, &a) : is_usable(w, subnet_number(w->subnet, &a)))) {
                        found = true;
                        *ret = a;
                } else if (unlinkat(dir, e->d_name, 0) < 0)
                        r = -errno;
        }
        return r < 0 ? r : found;
}

static int choose(int dir, const LeaseWish *w, const char *own, Address *ret, Error *reterr) {
        uint64_t n = w->last - w->first + 1, start = hash_bytes(own, strlen(own)) % n;
        Holder other;

        for (uint64_t i = 0; i < MIN(n, (uint64_t) LEASE_PROBES_MAX); i++) {
                uint64_t number = w->first + (start + i) % n;
                int r;

                if (!is_usable(w, number))
                        continue;
                *ret = subnet_at(w->subnet, number);
                r = take(dir, w, own, ret, &other);
                if (r != 0)
                        return r < 0 ? error_set_errno(reterr, r, "cannot keep address %s of network '%s'", address_text(ret).text, w->network) : r;
        }
        return error_set(reterr, -EADDRNOTAVAIL, "no address of %s is free on network '%s'", subnet_text(w->subnet).text, w->network);
}

static int take_fixed(int dir, const LeaseWish *w, const char *own, Address *ret, Error *reterr) {
        AddressText text = address_text(w->fixed);
        Holder other;
        int r;

        if (address_equal(w->fixed, w->gateway))
                return error_set(reterr, -EADDRINUSE, "address %s is the gateway of network '%s'", text.text, w->network);
        r = take(dir, w, own, w->fixed, &other);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot keep address %s of network '%s'", text.text, w->network);
        if (r == 0) {
                char *slash = strchr(other.text, '/');

                if (slash)
                        *slash = 0;
                return error_set(reterr, -EADDRINUSE, "address %s of network '%s' belongs to instance '%s' of app '%s'", text.text, w->network,
                        slash ? slash + 1 : "", other.text);
        }
        *ret = *w->fixed;
        return 0;
}

int lease_acquire(int dir, const LeaseWish *w, Address *ret, Error *reterr) {
        _cleanup_free_ char *own = str_format("%s/%s", w->app, w->instance);
        int r;

        if (!own)
                return -ENOMEM;
        if (w->fixed && !subnet_has(w->subnet, w->fixed))
                return error_set(reterr, -ERANGE, "address %s is outside of %s, the subnet of network '%s'", address_text(w->fixed).text,
                        subnet_text(w->subnet).text, w->network);
        r = reuse(dir, w, own, ret);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the addresses of network '%s'", w->network);
        if (r > 0)
                return 0;
        r = w->fixed ? take_fixed(dir, w, own, ret, reterr) : choose(dir, w, own, ret, reterr);
        return r < 0 ? r : 0;
}
