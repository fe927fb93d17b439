/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An instance on its network: its addresses, which are known before it starts, and its link, which is made while PID 1 makes its scope. */

#include "net/network.h"
#include "run/files.h"
#include "run/supervisor.h"

typedef struct Attachment {
        Network network;
        Address addresses[_NETWORK_FAMILY_MAX];
        char *text;         /* "10.77.3.4/16, fd00::1/64"; NULL: it is on no network of ours */
        char *address;      /* the first of them, without prefix */
        char *gateway;      /* the host's of the same family */
        FilesNetwork files;
        bool wanted;        /* it shall have a link */
        bool tried;         /* something may have to be taken back */
        bool done;
} Attachment;

/* Before the helper is started. files is NULL where there is no network for it. */
int attach_plan(Instance *i, const FilesNetwork **ret_files, Error *reterr);

/* Is it a kernel parameter of the instance's link? It is set when that is made. */
bool attach_is_sysctl(const SpecProcess *p, const char *name);

/* The helper has made the network namespace that netns is open on; route is a NETLINK_ROUTE socket of it. */
int attach_begin(Instance *i, int netns, int route, Error *reterr);
bool attach_is_internal(const Instance *i); /* its network leads nowhere else */
bool attach_is_done(const Instance *i); /* or not wanted: it may go on */

/* An earlier supervisor did all that, and wrote it down. */
int attach_adopt(Instance *i, const InstanceStatus *status);
/* What it wrote down, of whatever instance: the network's name and the addresses. */
int attach_read(const InstanceStatus *status, Attachment *ret);
void attachment_clear(Attachment *a);

/* The instance is over. */
void attach_end(Instance *i);
