/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <unistd.h>

#include "util/strv.h"

static void complain(const char *format, va_list ap) {
        fprintf(stderr, "%sberth: ", cli_style(stderr, STYLE_RED));
        vfprintf(stderr, format, ap);
        fprintf(stderr, "%s\n", cli_style(stderr, STYLE_NORMAL));
}

int cli_fail(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        complain(format, ap);
        va_end(ap);
        return CLI_FAILED;
}

int cli_usage(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        complain(format, ap);
        va_end(ap);
        fputs("Try 'berth help' or add '--help'.\n", stderr);
        return CLI_USAGE;
}

int cli_options(int argc, char *argv[], const char *help, bool *ret_json) {
        static const struct option options[] = {
                { "json", no_argument, NULL, 'j' },
                { "help", no_argument, NULL, 'h' },
                { NULL,   0,           NULL, 0   },
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", ret_json ? options : options + 1, NULL)) >= 0)
                switch (c) {
                case 'j':
                        *ret_json = true;
                        break;
                case 'h':
                        puts(help);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        return -1;
}

static bool stream_has_colour(FILE *stream) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        /* no-color.org: set and not empty, whatever it says. */
        return !(no_color && *no_color) && !(term && streq(term, "dumb")) && isatty(fileno(stream));
}

const char *cli_style(FILE *stream, Style style) {
        static const char *const codes[_STYLE_MAX] = {
                [STYLE_NORMAL] = "\033[0m",
                [STYLE_BOLD]   = "\033[1m",
                [STYLE_DIM]    = "\033[2m",
                [STYLE_RED]    = "\033[31m",
                [STYLE_GREEN]  = "\033[32m",
                [STYLE_YELLOW] = "\033[33m",
        };

        return stream_has_colour(stream) ? codes[style] : "";
}

typedef struct Cell {
        char *text;
        Style style;
} Cell;

struct Table {
        size_t n_columns;
        Cell *cells;
        size_t n_cells;
};

Table *table_new(size_t n_columns) {
        Table *t = calloc(1, sizeof(*t));

        assert(n_columns > 0);
        if (t)
                t->n_columns = n_columns;
        return t;
}

Table *table_headed(const char *const *header, size_t n_columns) {
        _cleanup_(table_freep) Table *t = table_new(n_columns);

        for (size_t i = 0; t && i < n_columns; i++)
                if (table_add(t, STYLE_DIM, header[i]) < 0)
                        return NULL;
        return TAKE_PTR(t);
}

Table *table_free(Table *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_cells; i++)
                free(t->cells[i].text);
        free(t->cells);
        free(t);
        return NULL;
}

int table_add(Table *t, Style style, const char *text) {
        Cell *cells = reallocarray(t->cells, t->n_cells + 1, sizeof(Cell));

        if (!cells)
                return -ENOMEM;
        t->cells = cells;
        char *copy = strdup(text && *text ? text : "-");
        if (!copy)
                return -ENOMEM;
        t->cells[t->n_cells++] = (Cell){ .text = copy, .style = style };
        return 0;
}

int table_addf(Table *t, Style style, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = str_vformat(format, ap);
        va_end(ap);
        return text ? table_add(t, style, text) : -ENOMEM;
}

/* Columns on the screen. All that berth prints in tables is ASCII but for what people write themselves, so code
 * points are near enough. */
static size_t text_width(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += ((unsigned char) *text & 0xc0) != 0x80;
        return n;
}

static size_t column_width(const Table *t, size_t column) {
        size_t width = 0;

        for (size_t i = column; i < t->n_cells; i += t->n_columns)
                width = MAX(width, text_width(t->cells[i].text));
        return width;
}

void table_print(const Table *t, FILE *stream) {
        for (size_t i = 0; i < t->n_cells; i++) {
                const Cell *cell = t->cells + i;
                size_t column = i % t->n_columns;
                bool last = column + 1 == t->n_columns;

                if (cell->style != STYLE_NORMAL)
                        fprintf(stream, "%s%s%s", cli_style(stream, cell->style), cell->text,
                                cli_style(stream, STYLE_NORMAL));
                else
                        fputs(cell->text, stream);
                if (last)
                        fputc('\n', stream);
                else
                        fprintf(stream, "%*s", (int) (column_width(t, column) - text_width(cell->text) + 2), "");
        }
}

int json_array_print(const void *items, size_t n, size_t size, int (*put)(Buf *b, const void *item)) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_putc(&b, '[');

        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (i > 0)
                        r = buf_putc(&b, ',');
                if (r >= 0)
                        r = put(&b, (const char *) items + i * size);
        }
        if (r >= 0)
                r = buf_puts(&b, "]\n");
        if (r >= 0)
                fwrite(b.data, 1, b.size, stdout);
        return r;
}

void size_text(uint64_t size, char ret[static 32]) {
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
        double value = (double) size;
        size_t unit = 0;

        while (value >= 999.5 && unit + 1 < ELEMENTSOF(units)) {
                value /= 1000;
                unit++;
        }
        (void) snprintf(ret, 32, value < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}
