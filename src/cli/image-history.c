/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/image.h"
#include "image/json.h"
#include "image/name.h"
#include "image/oci.h"

#define BY_LENGTH 80 /* of a command, where nobody asked for all of it */

static const char help[] =
        "berth image history [OPTION…] IMAGE\n"
        "\n"
        "Shows how an image was made, the last step first: when, what its layer holds, and by which command.\n"
        "\n"
        "      --json        as a JSON array\n"
        "      --no-trunc    whole commands and digests\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n";

typedef struct Step {
        const char *created, *by, *comment; /* borrowed; "" where not said */
        const char *diff_id; /* NULL: it made no layer */
        LayerMeta meta;
} Step;

static const char *text_of(const json_t *step, const char *key) {
        const char *text = json_string_value(json_object_get(step, key));

        return text ? text : "";
}

/* The steps, first one first. Layers behind the last step that made one, of an image without a history, are steps that say nothing. */
static Step *find_steps(Store *store, const json_t *history, char *const *diff_ids, size_t *ret_n) {
        size_t n_steps = json_array_size(history), layer = 0, n_layers = strv_length(diff_ids), n = 0;
        Step *steps = calloc(n_steps + n_layers + 1, sizeof(*steps));

        for (size_t i = 0; steps && (i < n_steps || layer < n_layers); i++) {
                const json_t *step = json_array_get(history, i); /* NULL behind the end */
                Step *s = steps + n++;

                *s = (Step){ .created = text_of(step, "created"), .by = text_of(step, "created_by"), .comment = text_of(step, "comment") };
                if (json_is_true(json_object_get(step, "empty_layer")) || layer == n_layers)
                        continue;
                s->diff_id = diff_ids[layer++];
                (void) store_layer_meta(store, s->diff_id, &s->meta);
        }
        *ret_n = n;
        return steps;
}

/* A command may have lines of its own. */
static void flatten(const char *text, bool whole, Buf *b) {
        size_t n = strlen(text);
        bool cut = !whole && n > BY_LENGTH;

        if (cut)
                for (n = BY_LENGTH; n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80;)
                        n--;
        for (size_t i = 0; i < n; i++)
                (void) buf_putc(b, (unsigned char) text[i] < ' ' ? ' ' : text[i]);
        if (cut)
                (void) buf_puts(b, "…");
}

static int add_step(Table *t, const Step *s, bool whole) {
        _cleanup_buf_ Buf by = BUF_INIT;
        char size[32], created[64];
        uint64_t seconds = 0;
        int r;

        (void) oci_time_parse(s->created, &seconds);
        image_time_text(seconds, "%Y-%m-%d %H:%M", created);
        size_text(s->meta.size, size);
        flatten(s->by[0] ? s->by : s->comment, whole, &by);
        r = table_add(t, STYLE_NORMAL, created);
        if (r >= 0)
                r = s->diff_id ? table_addf(t, STYLE_NORMAL, "%.*s", whole ? DIGEST_HEX_LENGTH : SHORT_ID_LENGTH, digest_hex(s->diff_id))
                               : table_add(t, STYLE_NORMAL, NULL);
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, s->diff_id ? size : NULL);
        return r < 0 ? r : table_add(t, STYLE_NORMAL, by.data);
}

static int print_table(const Step *steps, size_t n, bool whole) {
        static const char *const titles[] = { "CREATED", "LAYER", "SIZE", "CREATED BY" };
        _cleanup_(table_freep) Table *t = table_new(ELEMENTSOF(titles));
        int r = t ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(titles); i++)
                r = table_add(t, STYLE_DIM, titles[i]);
        for (size_t i = n; r >= 0 && i > 0; i--)
                r = add_step(t, steps + i - 1, whole);
        if (r >= 0)
                table_print(t, stdout);
        return r;
}

static int print_json(const Step *steps, size_t n) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = n; i > 0; i--) {
                const Step *s = steps + i - 1;

                if (json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s?, s:I}", "created", s->created, "created_by", s->by,
                        "comment", s->comment, "layer", s->diff_id, "size", (json_int_t) s->meta.size)) < 0)
                        return -ENOMEM;
        }
        json_dumpf(array, stdout, JSON_INDENT(2));
        putchar('\n');
        return 0;
}

static int history(const char *path, const char *name, bool json, bool whole) {
        _cleanup_image_ Image *image = NULL, *parsed = calloc(1, sizeof(*parsed));
        _cleanup_json_ json_t *config = NULL;
        _cleanup_strv_ char **diff_ids = NULL;
        _cleanup_store_ Store *store = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_free_ Step *steps = NULL;
        Error error = { 0 };
        size_t size, n;
        int r = parsed ? store_open(path, false, &store, &error) : -ENOMEM;

        if (r >= 0)
                r = image_open(store->path, name, &image, &error);
        if (r >= 0)
                r = store_image_json(store, image->id, NULL, &text, &size, &error);
        if (r >= 0)
                r = oci_config_parse(text, size, parsed, &diff_ids, &error);
        if (r >= 0)
                r = json_parse(text, size, OCI_JSON_MAX, &config, &error);
        if (r < 0)
                return cli_fail("%s", error.code ? error.text : strerror(-r));
        steps = find_steps(store, json_object_get(config, "history"), diff_ids, &n);
        r = !steps ? -ENOMEM : json ? print_json(steps, n) : print_table(steps, n, whole);
        return r < 0 ? cli_fail("out of memory") : 0;
}

int cmd_image_history(int argc, char *argv[]) {
        enum {
                OPTION_JSON = 256,
                OPTION_NO_TRUNC,
                OPTION_STORE,
        };
        static const struct option options[] = {
                { "json",     no_argument,       NULL, OPTION_JSON     },
                { "no-trunc", no_argument,       NULL, OPTION_NO_TRUNC },
                { "store",    required_argument, NULL, OPTION_STORE    },
                { "help",     no_argument,       NULL, 'h'             },
                {}
        };
        bool json = false, whole = false;
        const char *store = NULL;
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case OPTION_JSON:
                        json = true;
                        break;
                case OPTION_NO_TRUNC:
                        whole = true;
                        break;
                case OPTION_STORE:
                        store = optarg;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (argc - optind != 1)
                return cli_usage("image history wants the name of one image");
        return history(store, argv[optind], json, whole);
}
