/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All specs of a search path as units, one after the other: what the generator writes and `berth generate` shows. */

#include "spec/document.h"
#include "unit/text.h"
#include "util/error.h"

typedef struct UnitFile {
        char *name;  /* "shop.service", or of a drop-in "x.slice.d/50-berth.conf" */
        Buf text;
        UnitLinks links;
        bool broken; /* it is there to say why it fails */
} UnitFile;

void unit_file_clear(UnitFile *f);
#define _cleanup_unit_ _cleanup_(unit_file_clear)

/* Called for each spec, apps before images, in the order of names, with what there was to say of it; f is NULL where there is no unit. An
 * app that a connection starts has another unit, its socket, and one with limits as a whole its slice; of those there is nothing more
 * to say.
 * A negative result ends the run. */
typedef int (*UnitFunction)(void *userdata, const UnitFile *f, const SpecDiags *diags);

/* Calls function for every spec in the search path. A spec that is wrong hinders no other. */
int unit_generate(const SpecSearch *search, UnitFunction function, void *userdata);

/* Writes the unit and its links below dir; what is there already is replaced, each file at once. */
int unit_file_write(int dir, const UnitFile *f, Error *reterr);
