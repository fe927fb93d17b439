/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The world that berth-helper is given: what is taken is complete, and is written again as the same bytes. */

#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/world.h"
#include "util/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

static int file_of(const void *data, size_t size) {
        int fd = memfd_create("world", MFD_CLOEXEC);

        check(fd >= 0 && write_all(fd, data, size) >= 0);
        return fd;
}

static void check_complete(const World *w) {
        check(w->app && w->instance && w->argv && w->argv[0] && w->env && w->layers);
        check(!w->user_namespace || (w->n_uid_map > 0 && w->n_gid_map > 0));
        for (size_t i = 0; i < w->n_mounts; i++) {
                const WorldMount *m = &w->mounts[i];

                check(m->type >= 0 && m->type < _WORLD_MOUNT_TYPE_MAX && m->target[0] == '/' && m->layers);
                check(m->type != WORLD_MOUNT_BIND || m->source);
                check(m->type != WORLD_MOUNT_IMAGE || m->layers[0]);
        }
        for (size_t i = 0; i < w->n_files; i++)
                check(w->files[i].target[0] == '/' && w->files[i].content[w->files[i].size] == 0);
        for (size_t i = 0; i < w->n_devices; i++)
                check(w->devices[i].source && w->devices[i].target[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_close_ int in = file_of(data, size), out = -EBADF;
        _cleanup_free_ char *again = NULL;
        size_t again_size;
        World w = { 0 };
        Error e = { 0 };
        int r = world_read(in, &w, &e);

        check(r == 0 || (r < 0 && e.text[0]));
        if (r < 0)
                return 0;
        check_complete(&w);
        out = file_of("", 0);
        check(world_write(&w, out) == 0 && lseek(out, 0, SEEK_SET) == 0);
        check(read_fd(out, size, &again, &again_size) == 0 && again_size == size && memcmp(again, data, size) == 0);
        world_clear(&w);
        return 0;
}
