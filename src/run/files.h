/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that berth writes into an instance: hosts, hostname, resolv.conf, localtime, secrets. */

#include "sandbox/world.h"
#include "spec/spec.h"

/* Appends to w->files. w->hostname and w->network_namespace are set already. */
int files_make(const Spec *spec, const SpecProcess *p, const char *container_name, World *w, Error *reterr);
