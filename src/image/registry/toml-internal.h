/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of toml share. */

#include "image/registry/toml.h"
#include "util/buf.h"

/* How a table or array came to be, which says what may still be added to it. */
typedef enum TomlOrigin {
        TOML_IMPLIED,  /* a part of another's name: [a.b] makes a; may be headed once */
        TOML_HEADED,   /* [a] */
        TOML_DOTTED,   /* a.b = 1 makes a; more dotted keys of the same table may add to it */
        TOML_REPEATED, /* [[a]] makes the array a */
        TOML_CLOSED,   /* written out as a value */
} TomlOrigin;

typedef struct TomlNode {
        const json_t *node;
        TomlOrigin origin;
        const json_t *home; /* TOML_DOTTED: the table whose keys made it */
} TomlNode;

typedef struct Toml {
        const char *p, *end;
        unsigned line, depth;
        TomlNode *nodes;
        size_t n_nodes;
        Error *error;
} Toml;

/* Sets the sentence behind the line's number; returns code. */
int toml_fail(Toml *t, int code, const char *format, ...) _printf_(3, 4);

int toml_remember(Toml *t, const json_t *node, TomlOrigin origin, const json_t *home);
TomlNode *toml_node(Toml *t, const json_t *node);

void toml_skip_space(Toml *t); /* in the line */
int toml_skip_lines(Toml *t);  /* and comments and line ends */
int toml_end_line(Toml *t);    /* nothing more but a comment */

/* "a.b.c" as its parts, up to what stands behind it. */
int toml_key(Toml *t, char ***ret);

/* Adds `key = value` to table. */
int toml_add(Toml *t, json_t *table);

/* What comes is a value. */
int toml_value(Toml *t, json_t **ret);

/* A string that begins here, with its quotation marks. multi: whether it may go over lines. */
int toml_string(Toml *t, bool multi, Buf *out);
