/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Specifiers, systemd.unit(5)'s "%i" and friends, with the values that they have in the app's service. */

#include "util/macro.h"

typedef struct SpecifierContext {
        const char *service;  /* without ".service" */
        const char *prefix;   /* of it */
        const char *instance; /* NULL: none */
        bool template;        /* there will be an instance, but which is not known: %i, %I, %f, %n and %N are unknown */
        bool is_static;       /* nothing of the machine is looked at: %H, %m and the like are unknown */
} SpecifierContext;

/* Expands the specifiers of text. Returns 0; 1 where the result holds a stand-in for an unknown one; -EBADMSG with *ret_bad on
 * the '%' of a specifier that does not exist; -EADDRNOTAVAIL with *ret_bad where one has no value on this machine;
 * -E2BIG; -ENOMEM. */
int specifier_expand(const SpecifierContext *c, const char *text, char **ret, const char **ret_bad);

/* Undoes unit-name escaping: "\x2d" is a byte, and '-' a '/'. NULL when out of memory. */
char *unit_name_unescape(const char *name);
