/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who asks an app's supervisor for a change, written down before systemd is asked to reload the service: systemd does not pass it on. */

#include <sys/types.h>

#include "util/error.h"

typedef struct Request {
        char *author; /* "anna" */
        char *means;  /* "berth scale" */
        char *reason; /* "web=3"; "" */
        unsigned formation; /* 1: only how many instances there are and what they may use is to change, not the release */
} Request;

void request_clear(Request *r);
#define _cleanup_request_ _cleanup_(request_clear)

/* For the next reload of a running app; one that is under way is overtaken by it. author NULL: request_author(). -ENOENT: it does not run, and there is nothing to be told. */
int request_write(const char *app, const char *author, const char *means, const char *reason, bool formation);

/* Takes what request_write() left, or else says that it was root by systemctl. 0 or -ENOMEM. */
int request_take(const char *app, Request *ret);

/* The person behind the calling process: of its login session, or $SUDO_USER, or its user. A static text. */
const char *request_author(void);

/* A user's name, or number where it has none, into a buffer of the caller's. */
#define REQUEST_NAME_MAX 64
const char *request_user(uid_t uid, char name[static REQUEST_NAME_MAX]);
