/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "spec/table.h"

/* The words that libFuzzer shall try, out of the table that specs are read by. */
int main(void) {
        static const char *const more[] = { "[Process web]\\x0a", "\\\\\\x0a", "%i", "%%", "${A}", "type=bind,src=/a,dst=/b", ":ro,U",
                "infinity", "SIGRTMIN+1", "\\\\x41", "\\xef\\xbb\\xbf" };

        for (int i = 0; i < _SPEC_SECTION_MAX; i++)
                printf("\"[%s]\\x0a\"\n", spec_section_name((SpecSection) i));
        for (size_t i = 0; i < spec_n_keys; i++)
                printf("\"\\x0a%s=\"\n", spec_keys[i].name);
        for (size_t i = 0; i < ELEMENTSOF(more); i++)
                printf("\"%s\"\n", more[i]);
        return 0;
}
