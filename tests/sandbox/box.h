/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every sandbox test needs: a directory with a small image that holds the probe, a World around it, and the
 * comparison of what the probe says. */

#include <check.h>
#include <sys/mount.h>

#include "drive.h"

#define BOX_ID 600000 /* the host's id of the container's root */
#define BOX_CAPS UINT64_C(0x800405fb) /* Podman's default set */

typedef struct Line {
        const char *command, *result; /* result NULL: whatever; "denied": EROFS, EACCES or EPERM */
} Line;

extern char box_directory[]; /* on a disk, empty at the start of each test, removed at its end */

/* A World that runs the probe as root in its own namespaces over one read-only layer, `layer` below box_directory. */
World box_world(void);
/* A new upper directory for w; an earlier one is removed. */
void box_upper(World *w);

/* A path below box_directory, good until the 32nd call after this one. */
char *box_path(const char *name) __attribute__((format_arg(1)));
void box_mkdir(const char *name, mode_t mode);
void box_write(const char *name, const char *text, mode_t mode);
struct stat box_stat(const char *name);

/* Runs the commands in w and compares line by line. */
void box_check_lines(World *w, const Line *lines, size_t n);
#define box_check(w, ...)                                                                        \
        do {                                                                                     \
                const Line _lines[] = { __VA_ARGS__ };                                           \
                box_check_lines(w, _lines, sizeof(_lines) / sizeof(_lines[0]));                  \
        } while (0)
/* The same in an instance that runs already. */
void box_check_join(World *w, const Drive *into, const Line *lines, size_t n);

/* The output of one command, which the caller frees. */
char *box_ask(World *w, const char *command);

/* Starts the commands, and waits for nothing. */
void box_start(Drive *d, World *w, const char *const *commands);

/* The start must fail with an error that has all of these words in it. */
void box_fails(World *w, const char *const *words);
#define box_fails_with(w, ...)                                               \
        do {                                                                 \
                static const char *const _words[] = { __VA_ARGS__, NULL };   \
                box_fails(w, _words);                                        \
        } while (0)

/* Runs the test case under a fixture that also compares the host's mounts before and after. */
int box_main(const char *name, void (*add)(TCase *c));
