/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/image.h"
#include "image/name.h"
#include "util/strv.h"

static const char help[] =
        "berth images [OPTION…] [NAME…]\n"
        "\n"
        "Lists the images in the store: all, or those named.\n"
        "\n"
        "      --json        as a JSON array\n"
        "      --no-trunc    whole ids\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n"
        "\n"
        "SIZE is what all layers of an image hold, SHARED the part of it that other images hold too.\n";

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

static int add_row(Table *t, const StoreImage *i, const char *name, bool whole) {
        char size[32], shared[32], created[64];
        const char *hex = digest_hex(i->image->id);
        _cleanup_free_ char *users = strv_join(i->users, ", "), *holders = strv_join(i->holders, ", ");
        int r;

        if (!users || !holders)
                return -ENOMEM;
        size_text(i->size, size);
        size_text(i->shared, shared);
        image_time_text(i->image->created, "%Y-%m-%d %H:%M", created);
        r = table_add(t, name ? STYLE_BOLD : STYLE_DIM, name ? name : "<none>");
        if (r >= 0)
                r = table_addf(t, STYLE_NORMAL, "%.*s", whole ? DIGEST_HEX_LENGTH : SHORT_ID_LENGTH, hex);
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, created[0] ? created : NULL);
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, size);
        if (r >= 0)
                r = table_add(t, STYLE_NORMAL, shared);
        if (r >= 0)
                r = table_add(t, STYLE_GREEN, users[0] ? users : NULL);
        return r < 0 ? r : table_add(t, STYLE_NORMAL, holders[0] ? holders : NULL);
}

static int print_table(const StoreImage *images, size_t n, bool whole) {
        static const char *const titles[] = { "NAME", "ID", "CREATED", "SIZE", "SHARED", "USED BY", "KEPT FOR" };
        _cleanup_(table_freep) Table *t = table_new(ELEMENTSOF(titles));
        int r = t ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(titles); i++)
                r = table_add(t, STYLE_DIM, titles[i]);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (!images[i].names[0])
                        r = add_row(t, images + i, NULL, whole);
                for (char **name = images[i].names; r >= 0 && *name; name++)
                        r = add_row(t, images + i, *name, whole);
        }
        if (r >= 0)
                table_print(t, stdout);
        return r;
}

static int json_list(Buf *b, const char *key, char *const *v) {
        int r = buf_printf(b, ",\"%s\":[", key);

        for (char *const *p = v; r >= 0 && *p; p++) {
                if (p > v)
                        r = buf_putc(b, ',');
                if (r >= 0)
                        r = json_quote(b, *p);
        }
        return r < 0 ? r : buf_putc(b, ']');
}

static int json_text(Buf *b, const char *key, const char *value) {
        int r = buf_printf(b, ",\"%s\":", key);

        return r < 0 ? r : json_quote(b, value);
}

static int json_image(Buf *b, const void *item) {
        const StoreImage *i = item;
        char created[64];
        int r = buf_puts(b, "{\"id\":");

        image_time_text(i->image->created, "%Y-%m-%dT%H:%M:%SZ", created);
        if (r >= 0)
                r = json_quote(b, i->image->id);
        if (r >= 0)
                r = json_text(b, "manifest", i->image->manifest_digest);
        if (r >= 0)
                r = json_list(b, "names", i->names);
        if (r >= 0)
                r = json_text(b, "architecture", i->image->architecture);
        if (r >= 0)
                r = json_text(b, "created", created[0] ? created : NULL);
        if (r >= 0)
                r = buf_printf(b, ",\"size\":%llu,\"shared\":%llu", (unsigned long long) i->size,
                        (unsigned long long) i->shared);
        if (r >= 0)
                r = json_list(b, "layers", i->image->layer_ids);
        if (r >= 0)
                r = json_list(b, "used_by", i->users);
        if (r >= 0)
                r = json_list(b, "kept_for", i->holders);
        return r < 0 ? r : buf_putc(b, '}');
}

static int compare_names(const void *a, const void *b) {
        const StoreImage *x = a, *y = b;

        /* Images without a name come last. */
        if (!x->names[0] || !y->names[0])
                return !x->names[0] - !y->names[0];
        return strcmp(x->names[0], y->names[0]);
}

/* Keeps, in place, the images that the arguments name. */
static int select_images(const char *store, char *const *names, StoreImage *images, size_t *n) {
        _cleanup_strv_ char **ids = NULL;
        size_t kept = 0;

        for (; *names; names++) {
                _cleanup_image_ Image *image = NULL;
                Error error = { 0 };
                int r = image_open(store, *names, &image, &error);

                if (r < 0)
                        return cli_fail("%s", error.text);
                if (strv_append(&ids, image->id) < 0)
                        return cli_fail("out of memory");
        }
        for (size_t i = 0; i < *n; i++)
                if (strv_contains(ids, images[i].image->id)) {
                        StoreImage found = images[i];

                        images[i] = images[kept];
                        images[kept++] = found;
                }
        /* The rest stays behind the end, to be freed with the whole. */
        *n = kept;
        return 0;
}

static int list(const char *path, char *const *names, bool json, bool whole) {
        _cleanup_store_ Store *store = NULL;
        StoreImage *images = NULL;
        Error error = { 0 };
        size_t n = 0, shown;
        int r = store_open(path, false, &store, &error);

        if (r >= 0)
                r = store_list(store, &images, &n, &error);
        if (r < 0 && r != -ENOENT)
                return cli_fail("%s", error.code ? error.text : strerror(-r));
        if (n > 0)
                qsort(images, n, sizeof(*images), compare_names);
        shown = n;
        r = *names ? select_images(path, names, images, &shown) : 0;
        if (r == 0 && (json ? json_array_print(images, shown, sizeof(*images), json_image) : print_table(images, shown, whole)) < 0)
                r = cli_fail("out of memory");
        store_list_free(images, n);
        return r;
}

int cmd_images(int argc, char *argv[]) {
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
        return list(store, argv + optind, json, whole);
}
