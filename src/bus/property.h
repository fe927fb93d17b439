/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which properties differ between two structures, by a table of their fields. */

#include <systemd/sd-bus.h>

#include "util/macro.h"

typedef struct Property {
        const char *name;
        char type; /* D-Bus's: 's' is a char *, 'u' and 'i' have 4 bytes, 't' 8 */
        size_t offset;
} Property;

#define PROPERTIES_MAX 32

/* Emits PropertiesChanged for the rows of table that differ between a and b, and for also (may be NULL). */
int properties_emit_changed(sd_bus *bus, const char *path, const char *interface, const Property *table, size_t n,
        const void *a, const void *b, const char *also);
