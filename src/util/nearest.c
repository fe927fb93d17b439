/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>

#include "util/nearest.h"

#define DISTANCE_MAX 4

static bool same_letter(char a, char b) {
        return tolower((unsigned char) a) == tolower((unsigned char) b);
}

size_t str_distance(const char *a, const char *b) {
        /* Optimal string alignment over three rows; keys are short, what is longer is far from all. */
        enum { LIMIT = 64 };
        size_t n = strlen(a), m = strlen(b), rows[3][LIMIT + 1];

        if (n > LIMIT || m > LIMIT)
                return MAX(n, m);
        for (size_t j = 0; j <= m; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *twice = rows[(i + 1) % 3];

                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t best = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);

                        best = MIN(best, above[j] + 1);
                        best = MIN(best, row[j - 1] + 1);
                        if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
                                best = MIN(best, twice[j - 2] + 1);
                        row[j] = best;
                }
        }
        return rows[n % 3][m];
}

void nearest_try(Nearest *n, const char *name, const void *item) {
        size_t d = str_distance(name, n->wanted);

        if (d < n->distance) {
                n->distance = d;
                n->item = item;
        }
}

const void *nearest_found(const Nearest *n) {
        /* One slip in three letters; a name whose every letter was changed is no suggestion. */
        size_t most = MIN(MAX(strlen(n->wanted) / 3, (size_t) 1), (size_t) DISTANCE_MAX);

        return n->distance <= most && n->distance < strlen(n->wanted) ? n->item : NULL;
}
