/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The `berth` command line: one function a command, and the few things that their output shares. */

#include <stdio.h>

#include "util/text.h"

/* Exit codes. `berth exec` passes the code of what it ran, as the shell does. */
enum {
        CLI_FAILED = 1, /* the thing asked for could not be done, or `verify` found errors */
        CLI_USAGE = 2,  /* the command line makes no sense; said on standard error */
};

/* A command gets its own name as argv[0] and returns the exit code. It reads its options with getopt_long (optind is 0 at
 * the start) and has --help. */
int cmd_auto_update(int argc, char *argv[]);
int cmd_cat(int argc, char *argv[]);
int cmd_exec(int argc, char *argv[]);
int cmd_generate(int argc, char *argv[]);
int cmd_image(int argc, char *argv[]);
int cmd_images(int argc, char *argv[]);
int cmd_import(int argc, char *argv[]);
int cmd_keys(int argc, char *argv[]);
int cmd_limits(int argc, char *argv[]);
int cmd_list(int argc, char *argv[]);
int cmd_load(int argc, char *argv[]);
int cmd_logs(int argc, char *argv[]);
int cmd_maintenance(int argc, char *argv[]);
int cmd_network(int argc, char *argv[]);
int cmd_pull(int argc, char *argv[]);
int cmd_prune(int argc, char *argv[]);
int cmd_push(int argc, char *argv[]);
int cmd_releases(int argc, char *argv[]);
int cmd_rmi(int argc, char *argv[]);
int cmd_rollback(int argc, char *argv[]);
int cmd_save(int argc, char *argv[]);
int cmd_scale(int argc, char *argv[]);
int cmd_seccomp(int argc, char *argv[]);
int cmd_status(int argc, char *argv[]);
int cmd_tag(int argc, char *argv[]);
int cmd_top(int argc, char *argv[]);
int cmd_verb(int argc, char *argv[]); /* start, stop, restart, reload */
int cmd_verify(int argc, char *argv[]);

/* One complaint on standard error, "berth COMMAND: …", in red on a terminal. Returns CLI_FAILED. */
int cli_fail(const char *format, ...) _printf_(1, 2);
/* The same for a senseless command line; names --help. Returns CLI_USAGE. */
int cli_usage(const char *format, ...) _printf_(1, 2);

/* The options of a command that has --help, and where ret_json is not NULL also --json: -1, and optind is where its arguments begin; or the
 * exit code. */
int cli_options(int argc, char *argv[], const char *help, bool *ret_json);

/* Colours and styles: "" unless stream is a terminal, NO_COLOR is unset and TERM is not "dumb". */
typedef enum Style {
        STYLE_NORMAL,
        STYLE_BOLD,
        STYLE_DIM,
        STYLE_RED,
        STYLE_GREEN,
        STYLE_YELLOW,
        _STYLE_MAX,
        _STYLE_INVALID = -EINVAL,
} Style;

const char *cli_style(FILE *stream, Style style);

/* A table: left-aligned columns two spaces apart, the first row is the header. Cells are copied. */
typedef struct Table Table;

Table *table_new(size_t n_columns);
/* With its header; NULL when out of memory. */
Table *table_headed(const char *const *header, size_t n_columns);
Table *table_free(Table *t);
DEFINE_CLEANUP(Table *, table_free);
/* Adds the next cell, row by row; a NULL text is shown as "-". 0 or -ENOMEM. */
int table_add(Table *t, Style style, const char *text);
int table_addf(Table *t, Style style, const char *format, ...) _printf_(3, 4);
void table_print(const Table *t, FILE *stream);

/* Items of that size as a JSON array on standard output, each by put(); 0 or a negative errno, and nothing is printed. */
int json_array_print(const void *items, size_t n, size_t size, int (*put)(Buf *b, const void *item));

/* "12.3 MB", in powers of 1000 as Docker and Podman show sizes. */
void size_text(uint64_t size, char ret[static 32]);
