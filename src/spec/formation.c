/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>

#include "spec/spec.h"

/* What the keys of the formation come to, with their defaults. */

/* Heroku's: what serves traffic and does not listen by then will not. */
#define PORT_START_TIMEOUT_USEC (60U * 1000 * 1000)
/* A release process changes databases and the like. */
#define RELEASE_TIMEOUT_USEC (600U * 1000 * 1000)

unsigned spec_instances(const SpecProcess *p, unsigned cpus) {
        if (spec_is_release(p))
                return 0;
        if (!p->instances.set)
                return 1;
        return p->instances_cpus ? MIN(MAX(cpus, 1U), (unsigned) SPEC_INSTANCES_MAX) : (unsigned) p->instances.value;
}

bool spec_recreates(const SpecProcess *p) {
        if (p->update != SPEC_UPDATE_UNSET)
                return p->update == SPEC_UPDATE_RECREATE;
        if (p->ip.value || p->ip6.value)
                return true;
        for (size_t i = 0; i < p->mounts.n; i++)
                if (p->mounts.items[i].type == SPEC_MOUNT_VOLUME && p->mounts.items[i].source && !p->mounts.items[i].read_only)
                        return true;
        return false;
}

unsigned spec_share(const SpecShare *s, unsigned of, unsigned unless_set) {
        uint64_t hundredths;

        if (!s->set)
                return unless_set;
        if (!s->percent)
                return (unsigned) s->value;
        hundredths = s->value * of;
        return (unsigned) (hundredths / 100 + (s->up && hundredths % 100 != 0));
}

void spec_update_shares(const SpecProcess *p, unsigned of, unsigned *ret_surge, unsigned *ret_unavailable) {
        unsigned surge = spec_share(&p->max_surge, of, 1), unavailable = spec_share(&p->max_unavailable, of, 0);

        /* A percentage of few instances may be none; as in Kubernetes, one has to give way then. */
        *ret_surge = surge;
        *ret_unavailable = surge == 0 && unavailable == 0 ? 1 : unavailable;
}

uint64_t spec_start_timeout(const Spec *s, const SpecProcess *p) {
        uint64_t service = s->timeout_start.set ? s->timeout_start.value : SPEC_SERVICE_START_TIMEOUT_USEC;

        if (p->start_timeout.set)
                return p->start_timeout.value != 0 ? p->start_timeout.value : SPEC_INFINITY;
        if (spec_is_release(p))
                return RELEASE_TIMEOUT_USEC;
        /* For systemd zero is no limit, too. */
        if (service == 0)
                service = SPEC_INFINITY;
        if (service != SPEC_INFINITY)
                service -= service / 10;
        return p->ports.n > 0 ? MIN(service, (uint64_t) PORT_START_TIMEOUT_USEC) : service;
}

bool spec_port_is_any(const SpecPort *p) {
        static const uint8_t any[sizeof(p->address)];

        return p->family == 0 || memcmp(p->address, any, sizeof(any)) == 0;
}

static bool is_loopback_address(const SpecPort *p) {
        static const uint8_t loopback[sizeof(p->address)] = { [sizeof(p->address) - 1] = 1 };

        return p->family == AF_INET ? p->address[0] == 127 : memcmp(p->address, loopback, sizeof(loopback)) == 0;
}

/* More is wider. */
static int width(const SpecPort *p) {
        return p->family == 0 ? 3 : spec_port_is_any(p) ? 2 : !is_loopback_address(p);
}

size_t spec_port_main(const SpecPort *ports, size_t n, size_t port) {
        size_t main = port;

        for (size_t i = 0; i < n; i++)
                if (ports[i].container == ports[port].container && ports[i].protocol == ports[port].protocol &&
                        (width(&ports[i]) > width(&ports[main]) || (i < main && width(&ports[i]) == width(&ports[main]))))
                        main = i;
        return main;
}

bool spec_port_is_within(const SpecPort *p, const SpecPort *main) {
        if (main->family == 0)
                return true;
        return p->family == main->family && (spec_port_is_any(main) || memcmp(p->address, main->address, sizeof(p->address)) == 0);
}

uint16_t spec_health_http_port(const SpecProcess *p) {
        for (size_t i = 0; p->health_http_port == 0 && i < p->ports.n; i++)
                if (p->ports.items[i].protocol == SPEC_PROTOCOL_TCP)
                        return p->ports.items[i].container;
        return p->health_http_port;
}
