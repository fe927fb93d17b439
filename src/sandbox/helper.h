/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Inside berth-helper: the parts of the start of one instance, in the order in which they run.
 *
 * outer (host root, the host's namespaces)          inner (process 1 of the instance)
 *   makes inner, reports it, writes its id maps
 *   root, /dev, volumes as detached mounts             own namespaces, host name, loopback, /proc, /sys
 *   hands the mounts over and exits                    attaches everything, leaves the host's tree
 *                                                      waits for HELPER_GO, becomes the payload
 */

#include "sandbox/overlay.h"
#include "sandbox/user.h"
#include "sandbox/world.h"

typedef struct Helper {
        World world;
        Stage stage;   /* outer */
        int root;      /* the instance's root mount; detached until inner attached it */
        int dev;       /* the tmpfs of /dev, its nodes made */
        int sys;       /* the host's /sys, where a new one is not allowed; else -EBADF */
        int *mounts;   /* World.mounts that outer makes; -EBADF for those that inner makes */
        User user;     /* the payload's */
} Helper;

#define HELPER_INIT ((Helper){ .stage = STAGE_INIT, .root = -EBADF, .dev = -EBADF, .sys = -EBADF, .user = USER_INIT })

int outer_start(Helper *h, Error *reterr);
_noreturn_ void inner_start(Helper *h, int outer);
int join_start(Helper *h, Error *reterr);

/* root.c: h->root, and mounts of other images. The layers' ids are mapped by userns unless it is -EBADF. */
int root_make(Helper *h, int userns, Error *reterr);
int layers_mount(Helper *h, char *const *layers, int userns, Error *reterr);

/* dev.c */
int dev_make(Helper *h, Error *reterr);           /* outer: the tmpfs with its nodes */
int dev_fill(Helper *h, int dev, Error *reterr);  /* inner: links and directories */

/* volume.c */
int volumes_make(Helper *h, int userns, Error *reterr); /* outer */
int volumes_attach(Helper *h, int scratch, Error *reterr); /* inner */

/* api.c: the kernel's own file systems; inner */
typedef struct ApiMounts {
        int proc, sys, pts, mqueue, shm, scratch;
} ApiMounts;
#define API_MOUNTS_INIT ((ApiMounts){ -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF })
int api_make(Helper *h, ApiMounts *ret, Error *reterr);
int api_attach(Helper *h, ApiMounts *m, Error *reterr);
void api_close(ApiMounts *m);
int cgroup_mount(Error *reterr);

/* files.c: World.files as binds of files in scratch, an attached tmpfs that is about to become unreachable */
int files_attach(Helper *h, int scratch, Error *reterr);

/* mask.c */
int sysctl_write(Helper *h, Error *reterr);
int mask_apply(Helper *h, int scratch, Error *reterr);

/* copy.c: all below from into to, which is emptied first; owners, modes, times, links, xattrs */
int copy_tree(int from, int to, Error *reterr);

/* target.c: a descriptor of path in root, made where it is missing. directory: else a file. */
int target_open(int root, const char *path, bool directory, Error *reterr);
/* What the image knows nothing of belongs to who shall use it, as in Podman: gives the directory that fd is open on to the payload's user;
 * or makes path, and gives it, where it is missing. Inner. */
int target_give(const Helper *h, int fd, Error *reterr);
int target_of_user(const Helper *h, const char *path, Error *reterr);

/* process.c: what only the host's root may do for process pid (0: itself), and what it can do for itself */
int oom_write(const World *w, pid_t pid, Error *reterr);
int stdio_give(const World *w, const User *u, Error *reterr);
int root_user_become(Error *reterr);
int limits_raise(const World *w, pid_t pid, Error *reterr);

/* The caller gets the session keyring of the instance, keyrings(7): its keys are not those of another, nor of the one who started it. As the
 * host's root, who has room for more keyrings than the 200 of another user. */
int keyring_join(const World *w, Error *reterr);
int limits_apply(const World *w, Error *reterr);

/* control.c: messages to and from the parent, and between outer and inner */
int control_send(const HelperMessage *m, int fd_or_negative);
_noreturn_ void control_fail(const Error *e);
int control_wait_go(void); /* 0, or negative when the parent has gone */
int fds_send(int socket, const void *data, size_t size, const int *fds, size_t n);
ssize_t fds_receive(int socket, void *data, size_t size, int *fds, size_t max, size_t *ret_n);

/* takeover.c: from now on the parent is asked about each bind(2). Before any other filter, which could forbid to tell it. */
int takeover_begin(Error *reterr);

/* payload.c: drops every privilege and executes World.argv. Returns only with an error. */
int payload_exec(Helper *h, Error *reterr);

/* init.c: becomes an init that runs the payload as its child (World.run_init). Returns only with an error. */
int init_run(Helper *h, Error *reterr);
