/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "util/named.h"
#include "util/nearest.h"

int named_number(const Named *table, size_t n, const char *prefix, const char *name) {
        size_t skip = strlen(prefix);

        for (size_t i = 0; i < n; i++)
                if (strcasecmp(table[i].name, name) == 0 || strcasecmp(table[i].name + skip, name) == 0)
                        return table[i].number;
        return -EINVAL;
}

const char *named_name(const Named *table, size_t n, int number) {
        for (size_t i = 0; i < n; i++)
                if (table[i].number == number)
                        return table[i].name;
        return NULL;
}

const char *named_near(const Named *table, size_t n, const char *prefix, const char *name) {
        size_t skip = strncasecmp(name, prefix, strlen(prefix)) == 0 ? 0 : strlen(prefix);
        Nearest nearest = NEAREST_INIT(name);

        for (size_t i = 0; i < n; i++)
                nearest_try(&nearest, table[i].name + skip, table[i].name);
        return nearest_found(&nearest);
}
