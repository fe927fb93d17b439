/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "run/ids.h"
#include "util/fd.h"
#include "util/strv.h"

#define IDS_SLOTS ((IDS_LAST - IDS_FIRST + 1) / IDS_RANGE)
#define IDS_FILE_MAX (16U * 1024 * 1024) /* of passwd, group, subuid, subgid */
#define NSPAWN_LOCKS "/run/systemd/nspawn-uid"

/* One bit a range. */
typedef struct Taken {
        unsigned char bits[(IDS_SLOTS + 7) / 8];
} Taken;

static void taken_mark(Taken *t, uint64_t first, uint64_t count) {
        uint64_t last = first + count - 1;

        if (count == 0 || last < IDS_FIRST || first > IDS_LAST)
                return;
        first = MAX(first, (uint64_t) IDS_FIRST);
        last = MIN(last, (uint64_t) IDS_LAST);
        for (uint64_t slot = (first - IDS_FIRST) / IDS_RANGE; slot <= (last - IDS_FIRST) / IDS_RANGE; slot++)
                t->bits[slot / 8] |= (unsigned char) (1U << slot % 8);
}

static bool taken_free(const Taken *t, uint32_t slot, uint32_t slots) {
        if (slot + slots > IDS_SLOTS)
                return false;
        for (uint32_t i = slot; i < slot + slots; i++)
                if (t->bits[i / 8] & 1U << i % 8)
                        return false;
        return true;
}

/* Lines of colon-separated fields: marks field `first`, and as many ids as field `count` says (one without it). A
 * machine without the file has nobody in it. */
static int taken_read_file(Taken *t, const char *path, unsigned first, unsigned count) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r;

        r = read_file(AT_FDCWD, path, IDS_FILE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                uint64_t base = 0, n = 1;
                bool found = false;
                char *field;

                for (unsigned i = 0; (field = strsep(&line, ":")); i++) {
                        if (i == first)
                                found = parse_u64(field, UINT32_MAX, &base) >= 0;
                        else if (i == count && parse_u64(field, UINT32_MAX, &n) < 0)
                                n = 1;
                }
                if (found)
                        taken_mark(t, base, n);
        }
        return 0;
}

/* Files of a directory that are named after the first id of a range. */
static int taken_read_dir(Taken *t, const char *path, const char *own, uint32_t own_count, uint32_t *ret_own) {
        _cleanup_closedir_ DIR *d = NULL;
        int r = dir_open(AT_FDCWD, path, &d);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (struct dirent *entry; (entry = readdir(d));) {
                _cleanup_free_ char *text = NULL;
                uint64_t base, count = IDS_RANGE;
                char *space;

                if (parse_u64(entry->d_name, UINT32_MAX, &base) < 0)
                        continue;
                /* Ours say "COUNT APP"; nspawn's are empty. */
                if (read_file(dirfd(d), entry->d_name, 1024, &text, NULL) >= 0 && (space = strchr(text, ' '))) {
                        *space++ = 0;
                        space[strcspn(space, "\n")] = 0;
                        if (parse_u64(text, UINT32_MAX, &count) < 0)
                                count = IDS_RANGE;
                        if (own && streq(space, own) && (own_count == 0 || count == own_count)) {
                                *ret_own = (uint32_t) base;
                                continue;
                        }
                }
                taken_mark(t, base, count);
        }
        return 0;
}

/* All who choose do so one after the other; the lock dies with its process. */
static int ids_lock(const char *dir) {
        _cleanup_close_ int fd = -EBADF;
        int r = mkdir_parents(AT_FDCWD, dir, 0755);

        if (r < 0)
                return r;
        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || flock(fd, LOCK_EX) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int ids_acquire(const char *dir, const char *app, uint32_t count, uint32_t *ret, Error *reterr) {
        static const struct {
                const char *path;
                unsigned first, count;
        } files[] = {
                { "/etc/passwd", 2, UINT32_MAX },
                { "/etc/group",  2, UINT32_MAX },
                { "/etc/subuid", 1, 2          },
                { "/etc/subgid", 1, 2          },
        };
        uint32_t slots = (count + IDS_RANGE - 1) / IDS_RANGE, wanted, own = 0;
        _cleanup_free_ Taken *t = calloc(1, sizeof(*t));
        _cleanup_close_ int lock = ids_lock(dir);
        char name[16], text[512];
        int r;

        if (!t)
                return error_set_errno(reterr, -ENOMEM, "cannot choose user ids");
        if (lock < 0)
                return error_set_errno(reterr, lock, "cannot lock the id ranges in '%s'", dir);
        if (slots == 0 || slots > IDS_SLOTS)
                return error_set(reterr, -ERANGE, "cannot give a container %u user ids", count);
        count = slots * IDS_RANGE;
        r = taken_read_dir(t, dir, app, count, &own);
        if (r >= 0 && own != 0) {
                *ret = own;
                return 0;
        }
        if (r >= 0)
                r = taken_read_dir(t, NSPAWN_LOCKS, NULL, 0, NULL);
        for (size_t i = 0; i < ELEMENTSOF(files) && r >= 0; i++)
                r = taken_read_file(t, files[i].path, files[i].first, files[i].count);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read which user ids are in use");
        wanted = (uint32_t) (hash_bytes(app, strlen(app)) % IDS_SLOTS);
        for (uint32_t i = 0; i < IDS_SLOTS; i++) {
                uint32_t slot = (wanted + i) % IDS_SLOTS;

                if (!taken_free(t, slot, slots))
                        continue;
                (void) snprintf(name, sizeof(name), "%u", IDS_FIRST + slot * IDS_RANGE);
                (void) snprintf(text, sizeof(text), "%u %s\n", count, app);
                r = write_file(lock, name, text, strlen(text), 0644, false);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write '%s/%s'", dir, name);
                *ret = IDS_FIRST + slot * IDS_RANGE;
                return 0;
        }
        return error_set(reterr, -EAGAIN, "cannot find %u free user ids between %u and %u", count, IDS_FIRST, IDS_LAST);
}

int ids_release(const char *dir, const char *app) {
        _cleanup_close_ int lock = ids_lock(dir);
        _cleanup_closedir_ DIR *d = NULL;
        int r;

        if (lock < 0)
                return lock;
        r = dir_open(lock, ".", &d);
        if (r < 0)
                return r;
        for (struct dirent *entry; (entry = readdir(d));) {
                _cleanup_free_ char *text = NULL;
                char *space;

                if (read_file(lock, entry->d_name, 1024, &text, NULL) < 0 || !(space = strchr(text, ' ')))
                        continue;
                space[1 + strcspn(space + 1, "\n")] = 0;
                if (streq(space + 1, app) && unlinkat(lock, entry->d_name, 0) < 0)
                        r = -errno;
        }
        return r;
}
