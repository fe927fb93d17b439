/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The supervisor's own socket, BERTH_RUN_DIR/APP/control: whoever wants the app to be as its files say now asks there and waits for how it
 * ends. SOCK_SEQPACKET, for root alone. Who asks sends one word; each answer begins with a word and a space. */

#include <systemd/sd-event.h>

#include "util/error.h"

typedef struct Control Control;

/* What the one who is asked answers, at last. */
typedef enum ControlResult {
        CONTROL_DONE,      /* it is as the files say, and was not before */
        CONTROL_UNCHANGED, /* it was already */
        CONTROL_FAILED,
        _CONTROL_RESULT_MAX,
} ControlResult;

/* Called when somebody asks; control_finish() answers all who asked until then. */
typedef void (*control_callback)(void *userdata);

int control_open(sd_event *event, const char *directory, control_callback callback, void *userdata, Control **ret);
Control *control_free(Control *c);

void control_say(Control *c, const char *text); /* to all who wait: how far it is */
void control_finish(Control *c, ControlResult result, const char *text);
bool control_is_waited_for(const Control *c);

/* The other side: asks the supervisor of app, calls say (may be NULL) for what it says meanwhile, and returns a ControlResult with the last word in
 * reterr->text, or negative errno; -ENOENT: it does not run. */
int control_ask(const char *app, void (*say)(const char *text), Error *reterr);

/* Where somebody waits already: what the files say now shall be what he waits for. For systemd does not ask again before the first reload has
 * ended. Does nothing where nobody waits. */
void control_overtake(const char *app);
