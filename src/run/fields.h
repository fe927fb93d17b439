/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Structures as files: lines of KEY=VALUE, "\n" and "\\" in a value being a line feed and a backslash. One table of the fields of a
 * structure reads and writes it. */

#include <stddef.h>

#include "util/buf.h"

typedef enum FieldType {
        FIELD_STRING,   /* char *, owned */
        FIELD_UNSIGNED,
        FIELD_INT,      /* pid_t too */
        FIELD_U64,
        FIELD_STATE,    /* InstanceState */
} FieldType;

typedef struct Field {
        const char *key;
        FieldType type;
        size_t offset;
} Field;

int fields_put(Buf *b, const void *object, const Field *fields, size_t n);

/* The next line of a text that is taken apart on the way: 1, 0 at its end, -EBADMSG for a line that is none. */
int fields_line(char **rest, char **ret_key, char **ret_value);

/* Sets the field of that key; an unknown one is a later version's, and nothing. -EBADMSG for what is no value of it. */
int fields_set(void *object, const Field *fields, size_t n, const char *key, const char *value);

/* Makes strings that no line has set empty: no reader has to ask whether a text is there. */
int fields_complete(void *object, const Field *fields, size_t n);

/* Frees the strings. */
void fields_clear(void *object, const Field *fields, size_t n);
