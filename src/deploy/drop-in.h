/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A change of an app by a drop-in of its spec, and the reload that makes it so: what scale, limits, maintenance and rollback do. The
 * drop-in is in the first directory of the search path. */

#include "spec/spec.h"
#include "util/error.h"

typedef struct DropIn {
        char *app;
        char *directory, *path; /* of the drop-in */
        char *before; /* what it said; NULL: there was none */
        char *after;  /* what it shall say; NULL: there shall be none */
        Spec *old, *spec; /* without the change, and from drop_in_write() on with it */
        int lock;     /* of the drop-in's directory */
} DropIn;

void drop_in_clear(DropIn *c);
#define _cleanup_drop_in_ _cleanup_(drop_in_clear)
#define DROP_IN_INIT ((DropIn){ .lock = -EBADF })

/* Reads the app and its drop-in DIR/APP.container.d/file. -ENOENT: no such app; -EBADMSG: its spec is wrong. */
int drop_in_begin(const char *app, const char *file, DropIn *c, Error *reterr);

/* One assignment, in [Container] or where process is not NULL in [Process NAME]. It takes the place of what the drop-in says of the key
 * there; value NULL: it says nothing more of it. */
int drop_in_set(DropIn *c, const char *process, const char *key, const char *value);
int drop_in_set_in(DropIn *c, const char *section, const char *key, const char *value); /* section: "Slice" */

/* Writes the drop-in and reads the spec with it; one that would be wrong is not left there. 1; 0: the drop-in says it already. */
int drop_in_write(DropIn *c, Error *reterr);

/* Has the supervisor of a running app know who asks for the reload that is to follow. Where that fails the drop-in says again what it said;
 * where the reload fails, drop_in_undo(). As request_write(). */
int drop_in_ask(DropIn *c, const char *author, const char *means, const char *reason, bool formation, Error *reterr);

/* The same and the reload, where the app runs, and waits. 1; 0: it does not run. */
int drop_in_apply(DropIn *c, const char *means, const char *reason, bool formation, Error *reterr);

/* The drop-in says again what it said, unless somebody changed it since. */
void drop_in_undo(DropIn *c);

/* The same for one text: NULL is an empty one, and where no assignment is left. 0 or -ENOMEM. */
int drop_in_edit(const char *text, const char *section, const char *key, const char *value, char **ret);
