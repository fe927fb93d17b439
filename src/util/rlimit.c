/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>
#include <sys/resource.h>

#include "util/named.h"
#include "util/rlimit.h"

/* The names that Podman's --ulimit takes: setrlimit(2)'s in lower case. */
static const Named rlimits[] = {
        { "as",         RLIMIT_AS         },
        { "core",       RLIMIT_CORE       },
        { "cpu",        RLIMIT_CPU        },
        { "data",       RLIMIT_DATA       },
        { "fsize",      RLIMIT_FSIZE      },
        { "locks",      RLIMIT_LOCKS      },
        { "memlock",    RLIMIT_MEMLOCK    },
        { "msgqueue",   RLIMIT_MSGQUEUE   },
        { "nice",       RLIMIT_NICE       },
        { "nofile",     RLIMIT_NOFILE     },
        { "nproc",      RLIMIT_NPROC      },
        { "rss",        RLIMIT_RSS        },
        { "rtprio",     RLIMIT_RTPRIO     },
        { "rttime",     RLIMIT_RTTIME     },
        { "sigpending", RLIMIT_SIGPENDING },
        { "stack",      RLIMIT_STACK      },
};

int rlimit_from_name(const char *name) {
        return named_number(rlimits, ELEMENTSOF(rlimits), "", strncasecmp(name, "RLIMIT_", 7) == 0 ? name + 7 : name);
}

const char *rlimit_name(int resource) {
        return named_name(rlimits, ELEMENTSOF(rlimits), resource);
}

const char *rlimit_near(const char *name) {
        return named_near(rlimits, ELEMENTSOF(rlimits), "", name);
}
