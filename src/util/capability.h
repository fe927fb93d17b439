/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Capabilities by name and in sets: bit N of a set is capability N. */

#include <linux/capability.h>

#include "util/macro.h"

#define CAPABILITY(number) (UINT64_C(1) << (number))

/* What a payload has where nobody says otherwise: Podman's set (containers.conf(5), default_capabilities). */
#define CAPABILITIES_DEFAULT                                                                                        \
        (CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_FOWNER) | CAPABILITY(CAP_FSETID) |       \
                CAPABILITY(CAP_KILL) | CAPABILITY(CAP_NET_BIND_SERVICE) | CAPABILITY(CAP_SETFCAP) |                    \
                CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_SETPCAP) | CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SYS_CHROOT))

/* "CAP_NET_RAW" or "net_raw": the capability's number, or -EINVAL. */
int capability_from_name(const char *name);
const char *capability_name(int capability); /* "CAP_CHOWN"; NULL past the last that is known */
/* The nearest name of what capability_from_name() did not know, or NULL where none is near. */
const char *capability_near(const char *name);
