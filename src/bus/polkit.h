/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* polkit's question and answer: may the sender of a call do that to an app? */

#include <systemd/sd-bus.h>

#include "util/macro.h"

#define POLKIT_ACTION "org.berth1.manage"

/* The question about call; its rules see app and verb ("start"). */
int polkit_ask(sd_bus *bus, sd_bus_message *call, const char *app, const char *verb, sd_bus_message **ret);

/* The answer. 0: they may. Else what to tell them is in reterr; where polkit does not answer, nobody but root may. */
int polkit_read(sd_bus_message *reply, const char *app, const char *verb, sd_bus_error *reterr);
