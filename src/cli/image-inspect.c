/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/image.h"
#include "image/json.h"
#include "image/name.h"

static const char help[] =
        "berth image inspect [OPTION…] IMAGE…\n"
        "\n"
        "Shows what is known of images.\n"
        "\n"
        "      --json        as a JSON array, with the whole configuration\n"
        "      --config      the configuration as it came, byte by byte\n"
        "      --manifest    the manifest as it came, byte by byte\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n";

typedef enum Output {
        OUTPUT_TEXT,
        OUTPUT_JSON,
        OUTPUT_CONFIG,
        OUTPUT_MANIFEST,
        _OUTPUT_MAX,
        _OUTPUT_INVALID = -EINVAL,
} Output;

/* All that there is about one image. */
typedef struct Inspected {
        const StoreImage *entry; /* of the list */
        const char *manifest_digest; /* of the name that found it */
        char *config, *manifest;
        size_t config_size, manifest_size;
} Inspected;

static void inspected_clear(Inspected *i) {
        free(i->config);
        free(i->manifest);
}

static int add_line(Table *t, const char *key, const char *value) {
        int r;

        if (!value || !*value)
                return 0;
        r = table_add(t, STYLE_DIM, key);
        return r < 0 ? r : table_add(t, STYLE_NORMAL, value);
}

static int add_list(Table *t, const char *key, char *const *v) {
        int r = 0;

        for (char *const *p = v; r >= 0 && p && *p; p++) {
                r = table_add(t, STYLE_DIM, p == v ? key : " ");
                if (r >= 0)
                        r = table_add(t, STYLE_NORMAL, *p);
        }
        return r;
}

static int add_words(Table *t, const char *key, char *const *v) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = 0;

        for (char *const *p = v; r >= 0 && p && *p; p++) {
                if (p > v)
                        r = buf_putc(&b, ' ');
                if (r >= 0)
                        r = json_quote(&b, *p);
        }
        return r < 0 ? r : add_line(t, key, b.data);
}

static int add_layers(Store *store, Table *t, const Image *image) {
        int r = 0;

        for (char **id = image->layer_ids; r >= 0 && *id; id++) {
                LayerMeta meta;
                char size[32];

                if (store_layer_meta(store, *id, &meta) < 0)
                        continue;
                size_text(meta.size, size);
                r = table_add(t, STYLE_DIM, id == image->layer_ids ? "Layers" : " ");
                if (r >= 0)
                        r = table_addf(t, STYLE_NORMAL, "%s  %s in %llu entries", *id, size, (unsigned long long) meta.entries);
        }
        return r;
}

static int print_text(Store *store, const Inspected *it) {
        const Image *i = it->entry->image;
        _cleanup_(table_freep) Table *t = table_new(2);
        const struct {
                const char *key, *value;
                char *const *list; /* one a line */
                char *const *words; /* in one line, quoted */
        } lines[] = {
                { "Id",           .value = i->id                },
                { "Names",        .list = it->entry->names      },
                { "Manifest",     .value = it->manifest_digest  },
                { "Architecture", .value = i->architecture      },
                { "Variant",      .value = i->variant           },
                { "Entrypoint",   .words = i->entrypoint        },
                { "Command",      .words = i->cmd               },
                { "Environment",  .list = i->env                },
                { "User",         .value = i->user              },
                { "Directory",    .value = i->workdir           },
                { "Stop signal",  .value = i->stop_signal       },
                { "Health check", .words = i->health            },
                { "Volumes",      .list = i->volumes            },
                { "Ports",        .list = i->exposed            },
                { "Labels",       .list = i->labels             },
                { "Used by",      .list = it->entry->users      },
                { "Kept for",     .list = it->entry->holders    },
        };
        char created[64], size[32];
        int r = t ? 0 : -ENOMEM;

        image_time_text(i->created, "%Y-%m-%d %H:%M:%S UTC", created);
        size_text(i->size, size);
        for (size_t j = 0; r >= 0 && j < ELEMENTSOF(lines); j++)
                r = lines[j].list    ? add_list(t, lines[j].key, lines[j].list)
                        : lines[j].words ? add_words(t, lines[j].key, lines[j].words)
                                         : add_line(t, lines[j].key, lines[j].value);
        if (r >= 0)
                r = add_line(t, "Created", created);
        if (r >= 0)
                r = add_line(t, "Size", size);
        if (r >= 0)
                r = add_layers(store, t, i);
        if (r < 0)
                return r;
        table_print(t, stdout);
        return 0;
}

static json_t *json_list_of(char *const *v) {
        json_t *list = json_array();

        for (; v && *v; v++)
                if (json_array_append_new(list, json_sprintf("%s", *v)) < 0) {
                        json_decref(list);
                        return NULL;
                }
        return list;
}

static json_t *json_layers(Store *store, const Image *image) {
        json_t *list = json_array();

        for (char **id = image->layer_ids; *id; id++) {
                LayerMeta meta = { 0 };

                (void) store_layer_meta(store, *id, &meta);
                if (json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I}", "diff_id", *id, "size", (json_int_t) meta.size,
                        "entries", (json_int_t) meta.entries, "archive_size", (json_int_t) meta.tar_size)) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

static int add_json(Store *store, const Inspected *it, json_t *array) {
        const Image *i = it->entry->image;
        json_t *config = json_loadb(it->config, it->config_size, 0, NULL), *manifest, *j;
        char created[64];

        manifest = json_loadb(it->manifest, it->manifest_size, 0, NULL);
        image_time_text(i->created, "%Y-%m-%dT%H:%M:%SZ", created);
        j = json_pack("{s:s, s:o, s:s, s:s, s:s, s:s?, s:s?, s:I, s:I, s:o, s:o, s:o, s:o?, s:o?}", "id", i->id, "names",
                json_list_of(it->entry->names), "manifest_digest", it->manifest_digest, "architecture",
                i->architecture ? i->architecture : "", "os", i->os ? i->os : "", "variant", i->variant, "created",
                created[0] ? created : NULL, "size", (json_int_t) it->entry->size, "shared", (json_int_t) it->entry->shared,
                "layers", json_layers(store, i), "used_by", json_list_of(it->entry->users), "kept_for",
                json_list_of(it->entry->holders), "config", config, "manifest", manifest);
        return json_array_append_new(array, j) < 0 ? -ENOMEM : 0;
}

static int show(Store *store, const Inspected *it, Output output, json_t *array, bool first) {
        switch (output) {
        case OUTPUT_TEXT:
                if (!first)
                        putchar('\n');
                return print_text(store, it);
        case OUTPUT_JSON:
                return add_json(store, it, array);
        case OUTPUT_CONFIG:
                fwrite(it->config, 1, it->config_size, stdout);
                return 0;
        case OUTPUT_MANIFEST:
                fwrite(it->manifest, 1, it->manifest_size, stdout);
                return 0;
        case _OUTPUT_MAX:
        case _OUTPUT_INVALID:
                break;
        }
        return -EINVAL;
}

static int inspect_one(Store *store, const StoreImage *list, size_t n, const char *text, Output output, json_t *array, bool first) {
        __attribute__((cleanup(inspected_clear))) Inspected it = { 0 };
        _cleanup_image_ Image *image = NULL;
        Error error = { 0 };
        int r = image_open(store->path, text, &image, &error);

        if (r < 0)
                return cli_fail("%s", error.code ? error.text : strerror(-r));
        for (size_t i = 0; i < n; i++)
                if (streq(list[i].image->id, image->id))
                        it.entry = list + i;
        if (!it.entry)
                return cli_fail("image '%s' is not in the store any more", text);
        it.manifest_digest = image->manifest_digest;
        r = store_image_json(store, image->id, NULL, &it.config, &it.config_size, &error);
        if (r >= 0)
                r = store_image_json(store, image->id, image->manifest_digest, &it.manifest, &it.manifest_size, &error);
        if (r >= 0)
                r = show(store, &it, output, array, first);
        return r < 0 ? cli_fail("cannot inspect %s: %s", text, error.code ? error.text : strerror(-r)) : 0;
}

static int inspect(const char *path, char *const *names, Output output) {
        _cleanup_json_ json_t *array = json_array();
        _cleanup_store_ Store *store = NULL;
        StoreImage *list = NULL;
        Error error = { 0 };
        size_t n = 0;
        int r = store_open(path, false, &store, &error);

        if (r >= 0)
                r = store_list(store, &list, &n, &error);
        if (r < 0)
                return cli_fail("%s", error.code ? error.text : strerror(-r));
        for (char *const *name = names; r == 0 && *name; name++)
                r = inspect_one(store, list, n, *name, output, array, name == names);
        store_list_free(list, n);
        if (r == 0 && output == OUTPUT_JSON) {
                json_dumpf(array, stdout, JSON_INDENT(2));
                putchar('\n');
        }
        return r;
}

int cmd_image_inspect(int argc, char *argv[]) {
        enum {
                OPTION_STORE = 256,
                OPTION_OUTPUT, /* plus an Output */
        };
        static const struct option options[] = {
                { "json",     no_argument,       NULL, OPTION_OUTPUT + OUTPUT_JSON     },
                { "config",   no_argument,       NULL, OPTION_OUTPUT + OUTPUT_CONFIG   },
                { "manifest", no_argument,       NULL, OPTION_OUTPUT + OUTPUT_MANIFEST },
                { "store",    required_argument, NULL, OPTION_STORE                    },
                { "help",     no_argument,       NULL, 'h'                             },
                {}
        };
        Output output = OUTPUT_TEXT;
        const char *store = NULL;
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case OPTION_OUTPUT + OUTPUT_JSON:
                case OPTION_OUTPUT + OUTPUT_CONFIG:
                case OPTION_OUTPUT + OUTPUT_MANIFEST:
                        output = (Output) (c - OPTION_OUTPUT);
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
        if (optind == argc)
                return cli_usage("image inspect wants the names of images");
        return inspect(store, argv + optind, output);
}
