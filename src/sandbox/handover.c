/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <unistd.h>

#include "sandbox/handover.h"
#include "util/fd.h"

#define HANDOVER_FDS 200 /* a message; the kernel takes 253 */

int handover_ids(int inner, Error *reterr) {
        int r = fds_send(inner, "i", 1, NULL, 0);

        return r < 0 ? error_set_errno(reterr, r, "cannot reach the instance's process") : 0;
}

int handover_wait_ids(int outer) {
        size_t n;
        char c;

        return fds_receive(outer, &c, 1, NULL, 0, &n) == 1;
}

/* The descriptors of one instance in the order in which they travel. */
static size_t handover_slots(Helper *h, int **slots) {
        size_t n = 0;

        slots[n++] = &h->root;
        slots[n++] = &h->dev;
        if (h->world.user_namespace && !h->world.network_namespace)
                slots[n++] = &h->sys;
        for (size_t i = 0; i < h->world.n_mounts; i++)
                if (h->world.mounts[i].type != WORLD_MOUNT_TMPFS)
                        slots[n++] = h->mounts + i;
        return n;
}

int handover_send(Helper *h, int inner, Error *reterr) {
        _cleanup_free_ int **slots = calloc(h->world.n_mounts + 3, sizeof(int *));
        int fds[HANDOVER_FDS], r;
        size_t n;

        if (!slots)
                return error_set_errno(reterr, -ENOMEM, "cannot hand mounts over");
        n = handover_slots(h, slots);
        for (size_t i = 0; i < n;) {
                size_t part = MIN(n - i, (size_t) HANDOVER_FDS);

                for (size_t j = 0; j < part; j++)
                        fds[j] = *slots[i + j];
                r = fds_send(inner, &h->user, sizeof(h->user), fds, part);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot hand mounts over");
                i += part;
        }
        return 0;
}

int handover_receive(Helper *h, int outer, Error *reterr) {
        _cleanup_free_ int **slots = calloc(h->world.n_mounts + 3, sizeof(int *));
        int fds[HANDOVER_FDS];
        size_t n, part;
        ssize_t got;

        if (!slots)
                return error_set_errno(reterr, -ENOMEM, "cannot take mounts over");
        n = handover_slots(h, slots);
        for (size_t i = 0; i < n; i += part) {
                got = fds_receive(outer, &h->user, sizeof(h->user), fds, HANDOVER_FDS, &part);
                if (got == 0)
                        return 0;
                if (got != sizeof(h->user) || part == 0 || part > n - i)
                        return error_set_errno(reterr, got < 0 ? (int) got : -EBADMSG, "cannot take mounts over");
                for (size_t j = 0; j < part; j++)
                        *slots[i + j] = fds[j];
        }
        return 1;
}
