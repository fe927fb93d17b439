/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of instances for programs of the host, nss(5): `hosts: files berth dns` in /etc/nsswitch.conf. Only names of the domain .berth
 * are ours, so that an app's name never hides a host's. */

#include <netdb.h>
#include <nss.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "net/name.h"
#include "util/paths.h"

/* glibc's nss_action.h and Name Service Switch chapter of its manual give these their form. */
enum nss_status _nss_berth_gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t size, int *errnop, int *h_errnop);
enum nss_status _nss_berth_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t size, int *errnop,
        int *h_errnop);
enum nss_status _nss_berth_gethostbyname3_r(const char *name, int family, struct hostent *host, char *buffer, size_t size, int *errnop,
        int *h_errnop, int32_t *ttlp, char **canonp);
enum nss_status _nss_berth_gethostbyname4_r(const char *name, struct gaih_addrtuple **pat, char *buffer, size_t size, int *errnop, int *h_errnop,
        int32_t *ttlp);

static bool is_ours(const char *name) {
        size_t n = strlen(name), suffix = strlen("." NAME_DOMAIN);

        if (n > 0 && name[n - 1] == '.')
                n--;
        return n > suffix && strncasecmp(name + n - suffix, "." NAME_DOMAIN, suffix) == 0;
}

/* Only those of the family, AF_UNSPEC: all. */
static size_t lookup(const char *name, int family, Address addresses[NAME_ADDRESSES_MAX]) {
        char normalized[NAME_SIZE_MAX];
        size_t n, kept = 0;

        if (!is_ours(name) || name_normalize(name, normalized) < 0)
                return 0;
        n = name_lookup(BERTH_NAME_DIR, NULL, normalized, addresses);
        for (size_t i = 0; i < n; i++)
                if (family == AF_UNSPEC || addresses[i].family == family)
                        addresses[kept++] = addresses[i];
        return kept;
}

static enum nss_status not_found(int *errnop, int *h_errnop) {
        *errnop = ENOENT;
        *h_errnop = HOST_NOT_FOUND;
        return NSS_STATUS_NOTFOUND;
}

static enum nss_status too_small(int *errnop, int *h_errnop) {
        *errnop = ERANGE;
        *h_errnop = NETDB_INTERNAL;
        return NSS_STATUS_TRYAGAIN;
}

/* The buffer, cut into pieces. NULL: there is no more. */
typedef struct Room {
        char *at;
        size_t left;
} Room;

static void *room_take(Room *r, size_t size, size_t align) {
        size_t gap = (align - (uintptr_t) r->at % align) % align;
        char *p = r->at + gap;

        if (r->left < gap + size)
                return NULL;
        r->at = p + size;
        r->left -= gap + size;
        return p;
}

static char *room_name(Room *r, const char *name) {
        char *copy = room_take(r, strlen(name) + 1, 1);

        return copy ? strcpy(copy, name) : NULL;
}

enum nss_status _nss_berth_gethostbyname4_r(const char *name, struct gaih_addrtuple **pat, char *buffer, size_t size, int *errnop, int *h_errnop,
        int32_t *ttlp) {
        Address addresses[NAME_ADDRESSES_MAX];
        size_t n = lookup(name, AF_UNSPEC, addresses);
        Room room = { buffer, size };
        char *copy = room_name(&room, name);
        struct gaih_addrtuple *tuples;

        if (n == 0)
                return not_found(errnop, h_errnop);
        tuples = copy ? room_take(&room, n * sizeof(*tuples), __alignof__(struct gaih_addrtuple)) : NULL;
        if (!tuples)
                return too_small(errnop, h_errnop);
        for (size_t i = 0; i < n; i++) {
                tuples[i] = (struct gaih_addrtuple){ .next = i + 1 < n ? &tuples[i + 1] : NULL, .name = copy, .family = addresses[i].family };
                memcpy(tuples[i].addr, addresses[i].bytes, address_size(&addresses[i]));
        }
        /* The first may have a place of its own already, of which the caller holds the address. */
        if (*pat)
                **pat = tuples[0];
        else
                *pat = tuples;
        if (ttlp)
                *ttlp = 0;
        *errnop = 0;
        *h_errnop = NETDB_SUCCESS;
        return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_berth_gethostbyname3_r(const char *name, int family, struct hostent *host, char *buffer, size_t size, int *errnop,
        int *h_errnop, int32_t *ttlp, char **canonp) {
        int wanted = family == AF_UNSPEC ? AF_INET : family;
        Address addresses[NAME_ADDRESSES_MAX];
        size_t n = wanted == AF_INET || wanted == AF_INET6 ? lookup(name, wanted, addresses) : 0, length;
        Room room = { buffer, size };
        char *copy = room_name(&room, name), **list, **aliases;

        if (n == 0)
                return not_found(errnop, h_errnop);
        length = address_size(&addresses[0]);
        list = copy ? room_take(&room, (n + 1) * sizeof(*list), __alignof__(char *)) : NULL;
        aliases = list ? room_take(&room, sizeof(*aliases), __alignof__(char *)) : NULL;
        if (!aliases)
                return too_small(errnop, h_errnop);
        *aliases = NULL;
        for (size_t i = 0; i < n; i++) {
                list[i] = room_take(&room, length, 1);
                if (!list[i])
                        return too_small(errnop, h_errnop);
                memcpy(list[i], addresses[i].bytes, length);
        }
        list[n] = NULL;
        *host = (struct hostent){ .h_name = copy, .h_aliases = aliases, .h_addrtype = wanted, .h_length = (int) length, .h_addr_list = list };
        if (ttlp)
                *ttlp = 0;
        if (canonp)
                *canonp = copy;
        *errnop = 0;
        *h_errnop = NETDB_SUCCESS;
        return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_berth_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t size, int *errnop,
        int *h_errnop) {
        return _nss_berth_gethostbyname3_r(name, family, host, buffer, size, errnop, h_errnop, NULL, NULL);
}

enum nss_status _nss_berth_gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t size, int *errnop, int *h_errnop) {
        return _nss_berth_gethostbyname3_r(name, AF_UNSPEC, host, buffer, size, errnop, h_errnop, NULL, NULL);
}
