/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Published ports: the sockets that the app's processes share, and the answers to the bind(2) calls of its instances. */

#include "run/adopt.h"
#include "run/supervisor.h"

/* Opens what a process publishes, or shares it with another release's process; from what an earlier supervisor or a .socket unit left (a may be
 * NULL) where it is there. On an error the process has no port. */
int publish_open(Supervisor *sv, Process *process, Adoption *a, Error *reterr);

/* Its instances are to be over. */
void publish_close(Supervisor *sv, Process *process);

/* An instance whose filter has come (it is taken over), and one that an earlier supervisor had; listener -EBADF: without a filter. */
int publish_begin(Instance *i, int listener);
int publish_adopt(Instance *i, int listener, int memory, Adoption *a);
void publish_end(Instance *i);

/* Clients reach it from now on, or do not any more. For ports that are shared that is not in question. */
void publish_set_live(Instance *i, bool live);

bool publish_is_taken(const Instance *i); /* it listens on a published port */

/* "*:8080->80/tcp, …" of what it listens on, with " shared" behind what has no listener of its own for each instance, and what translate_way()
 * says behind what is not taken over; the caller frees. NULL when out of memory. */
char *publish_text(const Instance *i);
