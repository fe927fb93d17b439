/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/lexer.h"
#include "spec/spec.h"
#include "spec/text.h"

#define UTF8_BOM "\xef\xbb\xbf"

typedef struct Lexer {
        SpecSource *source;
        SpecDiags *diags;
        size_t at;     /* in raw */
        unsigned line; /* of `at` */
        char *out;     /* next free byte of joined; it never gets ahead of raw */
        size_t allocated, max_lines;
        uint32_t section; /* or one of the two below */
} Lexer;

#define SECTION_NONE UINT32_MAX         /* before the first header */
#define SECTION_BROKEN (UINT32_MAX - 1) /* under a header that was refused: what is there belongs to nothing known */

/* How many bytes end a line at `at`: "\n", "\r", "\r\n" and "\n\r" each end one, as systemd reads lines. */
static size_t eol_size(const SpecSource *s, size_t at) {
        char a = s->raw[at], b;

        if (at >= s->size || (a != '\n' && a != '\r'))
                return 0;
        b = at + 1 < s->size ? s->raw[at + 1] : 0;
        return (a == '\n' && b == '\r') || (a == '\r' && b == '\n') ? 2 : 1;
}

static size_t line_end(const SpecSource *s, size_t at) {
        return at + strcspn(s->raw + at, "\n\r");
}

static bool is_comment(const SpecSource *s, size_t at) {
        at += strspn(s->raw + at, " \t");
        return s->raw[at] == '#' || s->raw[at] == ';';
}

/* An odd number of backslashes at the end of [from, to): the last one joins this line with the next. */
static bool is_continued(const SpecSource *s, size_t from, size_t to) {
        size_t n = 0;

        while (to - n > from && s->raw[to - n - 1] == '\\')
                n++;
        return n % 2 == 1;
}

/* Joins the line at l->at with its continuations into l->out; comments in between go away. */
static void join_line(Lexer *l) {
        const SpecSource *s = l->source;
        bool more = true;

        for (size_t physical = 0; more && l->at < s->size; physical++) {
                size_t end = line_end(s, l->at);

                if (physical == 0 || !is_comment(s, l->at)) {
                        more = is_continued(s, l->at, end);
                        memcpy(l->out, s->raw + l->at, end - l->at);
                        l->out += end - l->at;
                        if (more)
                                l->out[-1] = ' ';
                }
                l->at = end + eol_size(s, end);
                l->line++;
        }
        *l->out++ = 0;
}

static int add_line(Lexer *l, SpecLine line) {
        SpecSource *s = l->source;

        if (s->n_lines >= l->max_lines) {
                if (s->n_lines == l->max_lines)
                        (void) spec_diag_add(l->diags, SPEC_ERROR, s->path, line.line, line.column,
                                "more than %zu lines in all files of one spec", l->max_lines);
                return -E2BIG;
        }
        if (s->n_lines == l->allocated) {
                size_t n = MAX(l->allocated * 2, (size_t) 32);
                SpecLine *p = reallocarray(s->lines, n, sizeof(SpecLine));

                if (!p)
                        return -ENOMEM;
                s->lines = p;
                l->allocated = n;
        }
        if (!line.key)
                l->section = (uint32_t) s->n_lines;
        line.section = l->section;
        s->lines[s->n_lines++] = line;
        return 0;
}

static char *strip(char *s) {
        size_t n;

        s += strspn(s, WHITESPACE);
        for (n = strlen(s); n > 0 && strchr(WHITESPACE, s[n - 1]); n--)
                ;
        s[n] = 0;
        return s;
}

/* What is wrong with the joined line `text`, in words; NULL: nothing. */
static const char *line_wrong(const Lexer *l, const char *text, size_t size, bool *ret_header) {
        const char *equals = strchr(text, '=');

        *ret_header = text[0] == '[';
        if (size > SPEC_LINE_MAX)
                return "line is longer than 1 MiB";
        if (!utf8_valid(text, size))
                return "not valid UTF-8";
        if (*ret_header) {
                if (text[size - 1] != ']')
                        return "section header without ']' at its end";
                for (const char *p = text; *p; p++)
                        if ((unsigned char) *p < ' ' || *p == '"' || *p == '\'' || *p == '\\' || *p == 0x7f)
                                return "section header has characters that are not allowed there";
                return NULL;
        }
        if (!equals)
                return "neither a section header nor KEY=VALUE";
        if (equals == text)
                return "missing key before '='";
        if (l->section == SECTION_NONE)
                return "assignment outside of a section";
        return NULL;
}

static int lex_line(Lexer *l) {
        SpecLine line = { .raw = (uint32_t) l->at, .raw_line = l->line, .start = l->out };
        SpecCursor cursor = { 0 };
        const char *wrong;
        char *text, *equals;
        bool header;
        size_t size;

        join_line(l);
        text = strip(line.start);
        size = strlen(text);
        if (size == 0)
                return 0;
        spec_source_locate(l->source, &line, text, &cursor);
        line.line = cursor.line;
        line.column = cursor.column;
        wrong = line_wrong(l, text, size, &header);
        if (wrong) {
                if (header)
                        l->section = SECTION_BROKEN;
                return spec_diag_add(l->diags, SPEC_ERROR, l->source->path, line.line, line.column, "%s", wrong);
        }
        if (header) {
                text[size - 1] = 0;
                line.value = text + 1;
        } else {
                equals = strchr(text, '=');
                *equals = 0;
                line.key = strip(text);
                line.value = strip(equals + 1);
                if (l->section == SECTION_BROKEN)
                        return 0;
        }
        return add_line(l, line);
}

static int complain_nul(SpecDiags *diags, const char *path, const char *raw, const char *nul) {
        unsigned line = 1, column = 1;

        for (const char *p = raw; p < nul; p++, column++)
                if (*p == '\n') {
                        line++;
                        column = 0;
                }
        return spec_diag_add(diags, SPEC_ERROR, path, line, column, "has a NUL byte: it is not a text file");
}

int spec_source_lex(SpecSource *s, const char *path, char *raw, size_t size, size_t max_lines, SpecDiags *diags) {
        Lexer l = { .source = s, .diags = diags, .line = 1, .max_lines = max_lines, .section = SECTION_NONE };
        const char *nul;
        int r = 0;

        *s = (SpecSource){ .raw = raw, .size = size, .path = strdup(path) };
        if (!s->path)
                return -ENOMEM;
        nul = memchr(raw, 0, size);
        if (nul)
                return complain_nul(diags, path, raw, nul);
        /* Each line takes at most its own bytes and a NUL, and it has an end of line, except the last. */
        s->joined = malloc(size + 2);
        if (!s->joined)
                return -ENOMEM;
        l.out = s->joined;
        if (size >= STRLEN(UTF8_BOM) && memcmp(raw, UTF8_BOM, STRLEN(UTF8_BOM)) == 0)
                l.at = STRLEN(UTF8_BOM);
        while (r == 0 && l.at < size)
                if (is_comment(s, l.at)) {
                        l.at = line_end(s, l.at);
                        l.at += eol_size(s, l.at);
                        l.line++;
                } else
                        r = lex_line(&l);
        return r == -E2BIG ? 0 : r;
}

void spec_source_clear(SpecSource *s) {
        free(s->path);
        free(s->raw);
        free(s->joined);
        free(s->lines);
        *s = (SpecSource){ 0 };
}

void spec_source_locate(const SpecSource *s, const SpecLine *line, const char *at, SpecCursor *c) {
        size_t goal = (size_t) (at - line->start);

        if (c->of != line || c->joined > goal)
                *c = (SpecCursor){ .of = line, .raw = line->raw, .line = line->raw_line, .column = 1 };
        for (; c->joined < goal && c->raw < s->size; c->joined++) {
                /* A joining backslash became a space, or the end of a key; any other is still there. */
                bool joins = s->raw[c->raw] == '\\' && line->start[c->joined] != '\\';
                size_t eol;

                c->raw++;
                c->column++;
                for (eol = joins ? eol_size(s, c->raw) : 0; eol > 0;) {
                        c->raw += eol;
                        c->line++;
                        c->column = 1;
                        eol = 0;
                        if (c->raw < s->size && is_comment(s, c->raw)) {
                                c->raw = line_end(s, c->raw);
                                eol = eol_size(s, c->raw);
                        }
                }
        }
}
