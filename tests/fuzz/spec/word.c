/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/names.h"
#include "spec/specifier.h"
#include "spec/spec.h"
#include "spec/text.h"
#include "util/capability.h"
#include "util/strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void split(const char *text, WordFlags flags, char ***ret) {
        const char *p = text, *odd;
        char *word;

        while (word_next(&p, flags, &word, &odd) > 0) {
                if (p < text || p > text + strlen(text))
                        abort();
                if (strv_consume(ret, word) < 0)
                        abort();
        }
}

/* Any text as words, a command line, specifiers, values and an environment file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const SpecifierContext context = { .service = "a-b@c", .prefix = "a-b", .instance = "c", .is_static = true };
        char *env[] = { (char *) "A=1 '2 3'", (char *) "B=", NULL };
        _cleanup_strv_ char **words = NULL, **expanded = NULL, **file = NULL, **relaxed = NULL;
        _cleanup_free_ char *text = NULL, *value = NULL;
        const char *bad;
        uint64_t n;

        if (size > 64 * 1024 || !(text = malloc(size + 1)))
                return 0;
        memcpy(text, data, size);
        text[size] = 0;
        split(text, WORD_UNQUOTE | WORD_UNESCAPE | WORD_COMMAND, &words);
        split(text, WORD_UNQUOTE | WORD_RELAX, &relaxed);
        (void) spec_command_expand(words, env, &expanded);
        (void) spec_env_parse(text, &file);
        if (specifier_expand(&context, text, &value, &bad) < 0 && (bad < text || bad > text + size))
                abort();
        (void) parse_timespan(text, &n);
        (void) parse_size(text, &n);
        (void) signal_from_name(text);
        (void) capability_near(text);
        return 0;
}
