/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/tail.h"

/* Twice as much as is kept, so that not every line moves all that is there. */
struct Tail {
        size_t size;
        char data[2 * TAIL_SIZE + 1];
};

Tail *tail_new(void) {
        Tail *t = malloc(sizeof(*t));

        if (t)
                t->size = t->data[0] = 0;
        return t;
}

Tail *tail_free(Tail *t) {
        free(t);
        return NULL;
}

static void tail_append(Tail *t, const char *data, size_t size) {
        if (t->size + size > sizeof(t->data) - 1) {
                size_t keep = TAIL_SIZE - size;

                keep = MIN(keep, t->size);
                memmove(t->data, t->data + t->size - keep, keep);
                t->size = keep;
        }
        memcpy(t->data + t->size, data, size);
        t->size += size;
        t->data[t->size] = 0;
}

void tail_add(Tail *t, const char *line, size_t size) {
        size_t cut = size > TAIL_SIZE - 1 ? size - (TAIL_SIZE - 1) : 0;

        if (!t)
                return;
        tail_append(t, line + cut, size - cut);
        tail_append(t, "\n", 1);
        /* What would end the text before its end is none of a line. */
        for (char *p = t->data + t->size - (size - cut) - 1; (p = memchr(p, 0, (size_t) (t->data + t->size - p)));)
                *p = ' ';
}

const char *tail_text(const Tail *t, unsigned lines) {
        size_t at = t ? t->size : 0;

        if (!t)
                return "";
        for (unsigned n = 0; at > 0; at--)
                if (t->data[at - 1] == '\n' && n++ == lines)
                        break;
        return t->data + at;
}
