/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The slice of an app, brought in line with a changed [Slice] without a daemon-reload. */

#include <systemd/sd-bus.h>

#include "spec/spec.h"
#include "util/error.h"

#define SLICE_GENERATOR_DIR "/run/systemd/generator"
#define SLICE_CONTROL_DIR "/run/systemd/system.control"

/* Writes what the generator would write for [Slice] of s into its directory, where it has been there for the app: the next daemon-reload
 * makes the same of it. */
int slice_unit_write(const Spec *s, Error *reterr);

/* The same, and gives the slice that systemd has in memory the limits (deploy/limits.h) of now that are others than those of before. It takes
 * both: systemd may forget a slice whenever nothing is in it, and read it again. */
int slice_change(sd_bus *bus, const Spec *before, const Spec *now, Error *reterr);
