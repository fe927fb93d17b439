/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "cli/spec-name.h"

int spec_name_argument(const char *what, SpecKind *ret_kind, char **ret_name) {
        SpecKind kind = spec_kind_of(what);
        size_t n = strlen(what);

        if (strchr(what, '/') || (kind >= 0 && access(what, F_OK) == 0))
                return 0;
        if (kind >= 0)
                n -= strlen(spec_kind_suffix(kind));
        *ret_name = strndup(what, n);
        if (!*ret_name)
                return -ENOMEM;
        *ret_kind = kind >= 0 ? kind : SPEC_CONTAINER;
        return 1;
}
