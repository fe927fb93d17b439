/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The name server of one instance: on a loopback address of its own network namespace, with a socket that its supervisor reads. It knows who is
 * up on the network, and asks the host's name servers for the rest. */

#include <systemd/sd-event.h>

#define RESOLVER_ADDRESS "127.0.0.11" /* inside; as in Docker, so that configurations which name it work */

typedef struct Resolver Resolver;

typedef struct ResolverSettings {
        const char *network, *app; /* whose names it tells; a process of the app is known without the app's name */
        char *const *servers;      /* to be asked for other names; NULL: those of the host's resolv.conf(5) */
        bool internal;             /* there are no others */
} ResolverSettings;

/* The UDP and the TCP socket, in the network namespace that netns is open on, whose loopback link is up. -EADDRINUSE: somebody serves there. */
int resolver_sockets(int netns, int *ret_udp, int *ret_tcp);

/* Takes the sockets over; the settings are copied. */
int resolver_new(sd_event *event, int udp, int tcp, const ResolverSettings *settings, Resolver **ret);
Resolver *resolver_free(Resolver *r);

int resolver_udp(const Resolver *r); /* the sockets, for the fd store */
int resolver_tcp(const Resolver *r);
