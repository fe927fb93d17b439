/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdio.h>
#include <strings.h>

#include "spec/names.h"
#include "spec/spec.h"
#include "spec/text.h"
#include "util/named.h"
#include "util/strv.h"

static const Named signals[] = {
        { "SIGHUP",    SIGHUP    },
        { "SIGINT",    SIGINT    },
        { "SIGQUIT",   SIGQUIT   },
        { "SIGILL",    SIGILL    },
        { "SIGTRAP",   SIGTRAP   },
        { "SIGABRT",   SIGABRT   },
        { "SIGBUS",    SIGBUS    },
        { "SIGFPE",    SIGFPE    },
        { "SIGKILL",   SIGKILL   },
        { "SIGUSR1",   SIGUSR1   },
        { "SIGSEGV",   SIGSEGV   },
        { "SIGUSR2",   SIGUSR2   },
        { "SIGPIPE",   SIGPIPE   },
        { "SIGALRM",   SIGALRM   },
        { "SIGTERM",   SIGTERM   },
        { "SIGSTKFLT", SIGSTKFLT },
        { "SIGCHLD",   SIGCHLD   },
        { "SIGCONT",   SIGCONT   },
        { "SIGSTOP",   SIGSTOP   },
        { "SIGTSTP",   SIGTSTP   },
        { "SIGTTIN",   SIGTTIN   },
        { "SIGTTOU",   SIGTTOU   },
        { "SIGURG",    SIGURG    },
        { "SIGXCPU",   SIGXCPU   },
        { "SIGXFSZ",   SIGXFSZ   },
        { "SIGVTALRM", SIGVTALRM },
        { "SIGPROF",   SIGPROF   },
        { "SIGWINCH",  SIGWINCH  },
        { "SIGIO",     SIGIO     },
        { "SIGPWR",    SIGPWR    },
        { "SIGSYS",    SIGSYS    },
};

/* systemd.exec(5), "Process Exit Codes": those that a program gives itself. */
static const Named exit_statuses[] = {
        { "SUCCESS",       0  },
        { "FAILURE",       1  },
        { "INVALIDARGUMENT", 2 },
        { "NOTIMPLEMENTED", 3 },
        { "NOPERMISSION",  4  },
        { "NOTINSTALLED",  5  },
        { "NOTCONFIGURED", 6  },
        { "NOTRUNNING",    7  },
        { "USAGE",         64 },
        { "DATAERR",       65 },
        { "NOINPUT",       66 },
        { "NOUSER",        67 },
        { "NOHOST",        68 },
        { "UNAVAILABLE",   69 },
        { "SOFTWARE",      70 },
        { "OSERR",         71 },
        { "OSFILE",        72 },
        { "CANTCREAT",     73 },
        { "IOERR",         74 },
        { "TEMPFAIL",      75 },
        { "PROTOCOL",      76 },
        { "NOPERM",        77 },
        { "CONFIG",        78 },
};

int signal_from_name(const char *name) {
        int number = named_number(signals, ELEMENTSOF(signals), "SIG", name);
        const char *rest;
        uint64_t n;

        if (number >= 0)
                return number;
        if (parse_u64(name, 64, &n) == 0)
                return n > 0 ? (int) n : -EINVAL;
        rest = strncasecmp(name, "SIG", 3) == 0 ? name + 3 : name;
        if (strncasecmp(rest, "RTMIN", 5) == 0) {
                rest += 5;
                if (!*rest)
                        return SIGRTMIN;
                if (*rest == '+' && parse_u64(rest + 1, (uint64_t) (SIGRTMAX - SIGRTMIN), &n) == 0)
                        return SIGRTMIN + (int) n;
        } else if (strncasecmp(rest, "RTMAX", 5) == 0) {
                rest += 5;
                if (!*rest)
                        return SIGRTMAX;
                if (*rest == '-' && parse_u64(rest + 1, (uint64_t) (SIGRTMAX - SIGRTMIN), &n) == 0)
                        return SIGRTMAX - (int) n;
        }
        return -EINVAL;
}

const char *signal_name(int signal) {
        return named_name(signals, ELEMENTSOF(signals), signal);
}

const char *signal_near(const char *name) {
        return named_near(signals, ELEMENTSOF(signals), "SIG", name);
}

int exit_status_from_name(const char *name) {
        uint64_t n;

        if (parse_u64(name, 255, &n) == 0)
                return (int) n;
        return named_number(exit_statuses, ELEMENTSOF(exit_statuses), "", name);
}

static const struct TimeUnit {
        const char *name;
        uint64_t usec;
} time_units[] = {
        { "seconds", 1000000          },
        { "second",  1000000          },
        { "sec",     1000000          },
        { "s",       1000000          },
        { "minutes", 60000000         },
        { "minute",  60000000         },
        { "min",     60000000         },
        { "months",  2629800000000    },
        { "month",   2629800000000    },
        { "M",       2629800000000    },
        { "msec",    1000             },
        { "ms",      1000             },
        { "m",       60000000         },
        { "hours",   3600000000       },
        { "hour",    3600000000       },
        { "hr",      3600000000       },
        { "h",       3600000000       },
        { "days",    86400000000      },
        { "day",     86400000000      },
        { "d",       86400000000      },
        { "weeks",   604800000000     },
        { "week",    604800000000     },
        { "w",       604800000000     },
        { "years",   31557600000000   },
        { "year",    31557600000000   },
        { "y",       31557600000000   },
        { "usec",    1                },
        { "us",      1                },
        { "\u00b5s", 1                },
        { "\u03bcs", 1                },
};

int parse_limit_size(const char *s, uint64_t *ret) {
        if (!streq(s, "infinity") && !streq(s, "-1"))
                return parse_size(s, ret);
        *ret = SPEC_INFINITY;
        return 0;
}

int parse_limit_cpus(const char *s, uint64_t *ret) {
        uint64_t v = 0;

        if (!streq(s, "infinity") && (parse_decimal(s, LIMIT_CPU_USEC, &v) < 0 || v > UINT64_C(8192) * LIMIT_CPU_USEC))
                return -EINVAL;
        if (v > 0 && v < LIMIT_CPU_USEC / 100)
                return -ERANGE;
        *ret = v == 0 ? SPEC_INFINITY : v;
        return 0;
}

int parse_limit_pids(const char *s, uint64_t *ret) {
        if (!streq(s, "-1") && !streq(s, "0") && !streq(s, "infinity"))
                return parse_u64(s, LIMIT_PIDS_MAX, ret) < 0 || *ret == 0 ? -EINVAL : 0;
        *ret = SPEC_INFINITY;
        return 0;
}

int parse_limit_weight(const char *s, uint64_t *ret) {
        return parse_u64(s, LIMIT_WEIGHT_MAX, ret) < 0 || *ret == 0 ? -EINVAL : 0;
}

int parse_timespan(const char *s, uint64_t *ret) {
        uint64_t sum = 0;

        s += strspn(s, WHITESPACE);
        if (streq(s, "infinity")) {
                *ret = SPEC_INFINITY;
                return 0;
        }
        do {
                const char *number = s, *name;
                uint64_t usec = 1000000, v;
                size_t digits = strspn(s, "0123456789."), letters;

                name = s + digits + strspn(s + digits, WHITESPACE);
                letters = strcspn(name, WHITESPACE "0123456789.");
                if (letters > 0) {
                        usec = 0;
                        for (size_t i = 0; i < ELEMENTSOF(time_units); i++)
                                if (strlen(time_units[i].name) == letters && strncmp(time_units[i].name, name, letters) == 0)
                                        usec = time_units[i].usec;
                        if (usec == 0)
                                return -EINVAL;
                }
                if (parse_decimal_start(number, usec, &v) != digits || digits == 0)
                        return -EINVAL;
                if (__builtin_add_overflow(sum, v, &sum) || sum == SPEC_INFINITY)
                        return -ERANGE;
                s = name + letters;
                s += strspn(s, WHITESPACE);
        } while (*s);
        *ret = sum;
        return 0;
}
