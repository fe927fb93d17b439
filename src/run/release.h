/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The releases of an app as they are kept: BERTH_APP_DIR/APP/release/N/ has `record`, a KEY=VALUE file; `spec`, a copy of the spec and what it
 * names (run/spec-copy.h); and `content`, by which two of them are compared. Only the app's supervisor writes here; a release appears by
 * rename and is never changed, but for what came of it. */

#include "spec/spec.h"
#include "util/error.h"

#define RELEASE_CONTENT_MAX (8U * 1024 * 1024) /* bytes */
#define RELEASE_IMAGE_ID_SIZE 72               /* "sha256:HEX" and its NUL */

typedef struct ReleaseRecord {
        unsigned number;    /* 1, 2, …; never given twice */
        unsigned equals;    /* the number of the one that it brought back; 0: none */
        uint64_t made_usec; /* CLOCK_REALTIME */
        char *author;       /* "anna", "root" */
        char *means;        /* "systemctl", "berth rollback" */
        char *reason;       /* "rollback to v3"; "" */
        char *images;       /* "PROCESS=sha256:HEX" for each that has one, separated by spaces; the unnamed process is "" */
        char *fate;         /* RELEASE_NEW, … */
        char *message;      /* why it failed; "" */
        unsigned prepared;  /* 1: its process `release` has run, and well */
} ReleaseRecord;

#define RELEASE_NEW "new"       /* not all of it was ever ready */
#define RELEASE_GOOD "good"     /* all of it was ready */
#define RELEASE_FAILED "failed" /* never all ready; or it crashed within RollbackWindow= */

void release_record_clear(ReleaseRecord *r);
#define _cleanup_release_record_ _cleanup_(release_record_clear)

/* -ENOENT: there is none of that number; -EBADMSG: not a record. */
int release_read(const char *app, unsigned number, ReleaseRecord *ret);

/* All that can be read, in ascending order. 0 also when there are none. */
int releases_read(const char *app, ReleaseRecord **ret, size_t *ret_n);
void releases_free(ReleaseRecord *records, size_t n);

/* The image that a process of it runs. -ENOENT: none. */
int release_image(const ReleaseRecord *r, const char *process, char ret[static RELEASE_IMAGE_ID_SIZE]);

int release_spec(const char *app, unsigned number, Spec **ret);
int release_content(const char *app, unsigned number, char **ret);

/* Gives the record the next number and keeps it with spec and content; r->fate is RELEASE_NEW. */
int release_make(const char *app, ReleaseRecord *r, const Spec *spec, const char *content, Error *reterr);

/* Writes what came of it. message may be NULL. */
int release_set_fate(const char *app, unsigned number, const char *fate, const char *message);

/* Writes that its process `release` has run. */
int release_set_prepared(const char *app, unsigned number);

/* Removes it, and lets go of its images. */
int release_forget(const char *app, const ReleaseRecord *r);

/* Forgets all releases of apps that neither run nor have a spec any more. */
int releases_forget_gone(void);

/* "shop@v12": who holds its images. NULL when out of memory. */
char *release_holder(const char *app, unsigned number);
