/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "run/remover.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/strv.h"

#define STACK_SIZE (256U << 10) /* remove_tree() enters a bounded number of levels */
#define NICE_LEAST 19
#define WAITING_SEC 1

struct Remover {
        char *directory;
        unsigned names;   /* how many were given */
        pthread_t thread;
        bool started;     /* thread has to be joined */

        pthread_mutex_t lock;
        pthread_cond_t end;
        bool more;        /* something came since the thread last looked */
        bool ends;        /* the thread looks no more */
        bool hurry;       /* remover_hurry() */
        pid_t tid;
};

/* nice(2) and ionice(1) of a thread. */
static void priority_set(pid_t tid, int nice, int io_class) {
        (void) setpriority(PRIO_PROCESS, (id_t) tid, nice);
        (void) syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, IOPRIO_PRIO_VALUE(io_class, 0));
}

static void remove_all(const char *directory) {
        _cleanup_closedir_ DIR *d = NULL;

        if (dir_open(AT_FDCWD, directory, &d) < 0)
                return;
        for (struct dirent *entry; (entry = readdir(d));) {
                int r;

                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                r = remove_tree(dirfd(d), entry->d_name);
                if (r < 0)
                        log_warning("Cannot remove '%s/%s': %s", directory, entry->d_name, strerror(-r));
        }
}

static void *remover_work(void *userdata) {
        Remover *r = userdata;

        (void) pthread_mutex_lock(&r->lock);
        r->tid = gettid();
        if (!r->hurry)
                priority_set(r->tid, NICE_LEAST, IOPRIO_CLASS_IDLE);
        while (r->more) {
                r->more = false;
                (void) pthread_mutex_unlock(&r->lock);
                remove_all(r->directory);
                (void) pthread_mutex_lock(&r->lock);
        }
        r->ends = true;
        (void) pthread_cond_signal(&r->end);
        (void) pthread_mutex_unlock(&r->lock);
        return NULL;
}

/* Where no thread can be had, the next one does it, or at the latest remover_wait(). */
static void remover_start(Remover *r) {
        pthread_attr_t attr;
        bool works;

        (void) pthread_mutex_lock(&r->lock);
        r->more = true;
        works = r->started && !r->ends;
        (void) pthread_mutex_unlock(&r->lock);
        if (works)
                return;
        if (r->started)
                (void) pthread_join(r->thread, NULL);
        r->ends = false;
        r->tid = 0;
        if (pthread_attr_init(&attr) != 0)
                return;
        (void) pthread_attr_setstacksize(&attr, STACK_SIZE);
        r->started = pthread_create(&r->thread, &attr, remover_work, r) == 0;
        (void) pthread_attr_destroy(&attr);
}

Remover *remover_new(const char *directory) {
        _cleanup_(remover_freep) Remover *r = calloc(1, sizeof(*r));
        _cleanup_closedir_ DIR *d = NULL;

        if (!r)
                return NULL;
        (void) pthread_mutex_init(&r->lock, NULL);
        (void) pthread_cond_init(&r->end, NULL);
        r->directory = strdup(directory);
        if (!r->directory)
                return NULL;
        /* "." and ".." are always there. */
        if (dir_open(AT_FDCWD, directory, &d) >= 0 && readdir(d) && readdir(d) && readdir(d))
                remover_start(r);
        return TAKE_PTR(r);
}

static int move_away(Remover *r, const char *path) {
        int q = mkdir_parents(AT_FDCWD, r->directory, 0700);

        while (q >= 0) {
                _cleanup_free_ char *to = str_format("%s/%u", r->directory, r->names++);

                if (!to)
                        return -ENOMEM;
                if (renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) >= 0)
                        return 0;
                if (errno != EEXIST) /* else an earlier remover's */
                        return -errno;
        }
        return q;
}

int remover_take(Remover *r, const char *path) {
        if (access(path, F_OK) < 0 && errno == ENOENT)
                return 0;
        if (move_away(r, path) < 0)
                return remove_tree(AT_FDCWD, path);
        remover_start(r);
        return 0;
}

void remover_hurry(Remover *r) {
        (void) pthread_mutex_lock(&r->lock);
        if (r->started && r->tid > 0 && !r->ends && !r->hurry)
                priority_set(r->tid, getpriority(PRIO_PROCESS, 0), IOPRIO_CLASS_NONE);
        r->hurry = true;
        (void) pthread_mutex_unlock(&r->lock);
}

void remover_wait(Remover *r, void (*waiting)(void)) {
        remover_hurry(r);
        if (r->started) {
                (void) pthread_mutex_lock(&r->lock);
                while (!r->ends) {
                        struct timespec until;

                        (void) clock_gettime(CLOCK_MONOTONIC, &until);
                        until.tv_sec += WAITING_SEC;
                        if (pthread_cond_clockwait(&r->end, &r->lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT && waiting)
                                waiting();
                }
                (void) pthread_mutex_unlock(&r->lock);
                (void) pthread_join(r->thread, NULL);
                r->started = false;
        }
        if (r->more)
                remove_all(r->directory);
        r->more = false;
}

Remover *remover_free(Remover *r) {
        if (!r)
                return NULL;
        if (r->directory)
                remover_wait(r, NULL);
        (void) pthread_cond_destroy(&r->end);
        (void) pthread_mutex_destroy(&r->lock);
        free(r->directory);
        free(r);
        return NULL;
}
