/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/property.h"

static bool differs(const Property *p, const void *a, const void *b) {
        const char *x = (const char *) a + p->offset, *y = (const char *) b + p->offset;

        if (p->type == 's')
                return !streq_ptr(*(char *const *) x, *(char *const *) y);
        return memcmp(x, y, p->type == 't' ? 8 : 4) != 0;
}

int properties_emit_changed(sd_bus *bus, const char *path, const char *interface, const Property *table, size_t n,
        const void *a, const void *b, const char *also) {
        const char *names[PROPERTIES_MAX + 2] = { NULL };
        size_t k = 0;

        assert(n <= PROPERTIES_MAX);
        for (size_t i = 0; i < n; i++)
                if (differs(table + i, a, b))
                        names[k++] = table[i].name;
        if (also)
                names[k++] = also;
        return k > 0 ? sd_bus_emit_properties_changed_strv(bus, path, interface, (char **) names) : 0;
}
