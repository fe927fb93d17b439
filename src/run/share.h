/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Network=container:NAME: an instance in the network namespace of the first instance of another app. It ends when that one does, whatever the
 * reason, and is begun again in the next one's. */

#include "run/supervisor.h"
#include "sandbox/world.h"

/* Before the helper is started, which gets share_netns(); w gets the other's /etc/hosts and /etc/resolv.conf. Does nothing for other networks. */
int share_begin(Instance *i, World *w, Error *reterr);
int share_netns(const Instance *i); /* a namespace, or -EBADF */

/* One of an earlier supervisor: it may be alone by now. */
void share_adopt(Instance *i);
void share_end(Instance *i);
