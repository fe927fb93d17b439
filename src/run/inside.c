/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "net/connections.h"
#include "net/netns.h"
#include "run/inside.h"
#include "run/instance.h"
#include "util/fd.h"

#define LOOK_FIRST_USEC (50U * 1000)     /* what is taken over mostly is so by then */
#define LOOK_FIRST_NAT_USEC (5U * 1000)  /* nothing is */
#define LOOK_LONGEST_USEC (1000U * 1000)

struct Inside {
        Instance *instance;
        sd_event_source *timer;
        uint64_t delay_usec;
        uint8_t by[]; /* by port: PORT_INSIDE_*; of each port of the container the main one has it */
};

size_t inside_main(const Instance *i, size_t port) {
        return spec_port_main(i->process->spec->ports.items, i->process->n_ports, port);
}

bool inside_has(const Instance *i, size_t port) {
        return i->inside && i->inside->by[inside_main(i, port)] != 0;
}

const Address *inside_address(const Instance *i, size_t port, int family) {
        static const Address none;
        int bit = family == AF_INET6 ? PORT_INSIDE_IPV6 : PORT_INSIDE_IPV4;

        if (!inside_has(i, port) || !(i->inside->by[inside_main(i, port)] & bit))
                return &none;
        return &i->attachment.addresses[family == AF_INET6 ? NETWORK_IPV6 : NETWORK_IPV4];
}

bool inside_has_ipv4(const Instance *i, size_t port) {
        return inside_has(i, port) && i->inside->by[inside_main(i, port)] & PORT_INSIDE_IPV4;
}

bool inside_has_address(const Instance *i, size_t port) {
        return inside_address(i, port, AF_INET)->family != 0 || inside_address(i, port, AF_INET6)->family != 0;
}

/* What listens there, as far as anybody can come to it. */
static int look_at(Instance *i, int netns, size_t port) {
        const SpecPort *p = &i->process->spec->ports.items[port];
        int r = netns_listens(netns, p->protocol, p->container);

        if (r <= 0)
                return r;
        i->inside->by[port] = (uint8_t) r;
        /* Without a network connections are made from within; datagrams come by rules alone. */
        if (!inside_has_address(i, port) ? i->attachment.wanted || p->protocol == SPEC_PROTOCOL_UDP : p->protocol == SPEC_PROTOCOL_UDP && attach_is_internal(i))
                i->inside->by[port] = 0;
        return i->inside->by[port] != 0;
}

/* 1: there is one more; *ret_left: some are still to come. */
static int look(Instance *i, bool *ret_left) {
        _cleanup_close_ int netns = netns_of(i->pid);
        int r = netns < 0 ? netns : 0, found = 0;

        *ret_left = false;
        for (size_t k = 0; r >= 0 && k < i->process->n_ports; k++) {
                if (inside_main(i, k) != k || takeover_has(&i->takeover, k, _PORT_KIND_MAX) || i->inside->by[k] != 0)
                        continue;
                r = look_at(i, netns, k);
                found = found || r > 0;
                *ret_left = *ret_left || r == 0;
        }
        return r < 0 ? r : found;
}

static int arm(Inside *t);

static void look_and_tell(Instance *i) {
        Inside *t = i->inside;
        bool left;
        int r = look(i, &left);

        if (r > 0) {
                instance_reached(i);
                supervisor_changed(i->sv);
        }
        /* What comes after that is the payload's own business. */
        if (r < 0 || !left || (i->state != INSTANCE_STARTING && t->delay_usec >= LOOK_LONGEST_USEC))
                return;
        t->delay_usec = MIN(2 * t->delay_usec, (uint64_t) LOOK_LONGEST_USEC);
        (void) arm(t);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Inside *t = userdata;

        t->timer = sd_event_source_disable_unref(t->timer);
        look_and_tell(t->instance);
        return 0;
}

static int arm(Inside *t) {
        return sd_event_add_time_relative(t->instance->sv->event, &t->timer, CLOCK_MONOTONIC, t->delay_usec, 1000, on_timer, t);
}

int inside_begin(Instance *i) {
        const SpecProcess *p = i->process->spec;
        Inside *t;

        if (i->process->n_ports == 0 || p->network == SPEC_NETWORK_HOST || p->publish_by == SPEC_PUBLISH_BY_TAKEOVER)
                return 0;
        t = calloc(1, sizeof(*t) + i->process->n_ports);
        if (!t)
                return -ENOMEM;
        t->instance = i;
        t->delay_usec = p->publish_by == SPEC_PUBLISH_BY_NAT ? LOOK_FIRST_NAT_USEC : LOOK_FIRST_USEC;
        i->inside = t;
        if (!i->adopted)
                return arm(t);
        look_and_tell(i);
        return 0;
}

void inside_end(Instance *i) {
        if (!i->inside)
                return;
        sd_event_source_disable_unref(i->inside->timer);
        free(i->inside);
        i->inside = NULL;
        supervisor_changed(i->sv);
}

int inside_has_connection(const Supervisor *sv) {
        int r = 0;

        for (size_t n = 0; r == 0 && n < sv->n_instances; n++) {
                const Instance *i = sv->instances[n];

                for (size_t k = 0; r == 0 && i->pid > 0 && k < i->process->n_ports; k++)
                        if (inside_main(i, k) == k && inside_has(i, k)) {
                                _cleanup_close_ int netns = netns_of(i->pid);

                                r = netns < 0 ? netns : netns_has_connection(netns, i->process->spec->ports.items[k].container);
                        }
        }
        return r;
}
