/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/image.h"
#include "image/mounts.h"

static const char mount_help[] =
        "berth image mount [OPTION…] [IMAGE [DIR]]\n"
        "\n"
        "Mounts an image read-only on DIR, or on a directory below /run/berth/image-mount, and prints where. Without IMAGE\n"
        "lists what is mounted. An image that is mounted stays in the store.\n"
        "\n"
        "      --json        the list as a JSON array\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n";

static const char unmount_help[] =
        "berth image unmount [OPTION…] IMAGE|DIR…\n"
        "\n"
        "Unmounts images, each from DIR or from everywhere.\n"
        "\n"
        "      --store=DIR   use the store in DIR\n"
        "  -h, --help        show this\n";

enum {
        OPTION_JSON = 256,
        OPTION_STORE,
};

static int list_table(const ImageMounts *mounts) {
        _cleanup_(table_freep) Table *t = table_new(2);
        int r = t ? table_add(t, STYLE_DIM, "IMAGE") : -ENOMEM;

        if (r >= 0)
                r = table_add(t, STYLE_DIM, "DIRECTORY");
        for (size_t i = 0; r >= 0 && i < mounts->n; i++) {
                r = table_add(t, STYLE_NORMAL, mounts->list[i].id);
                if (r >= 0)
                        r = table_add(t, STYLE_NORMAL, mounts->list[i].target);
        }
        if (r >= 0)
                table_print(t, stdout);
        return r;
}

static int list_json(const ImageMounts *mounts) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_putc(&b, '[');

        for (size_t i = 0; r >= 0 && i < mounts->n; i++) {
                r = buf_printf(&b, "%s{\"id\":\"%s\",\"directory\":", i > 0 ? "," : "", mounts->list[i].id);
                if (r >= 0)
                        r = json_quote(&b, mounts->list[i].target);
                if (r >= 0)
                        r = buf_putc(&b, '}');
        }
        if (r >= 0)
                r = buf_puts(&b, "]\n");
        if (r >= 0)
                fwrite(b.data, 1, b.size, stdout);
        return r;
}

static int list(bool json) {
        _cleanup_mounts_ ImageMounts mounts = { 0 };
        Error error = { 0 };
        int r = image_mounts_read(&mounts, &error);

        if (r >= 0)
                r = json ? list_json(&mounts) : list_table(&mounts);
        return r < 0 ? cli_fail("%s", error.code ? error.text : strerror(-r)) : 0;
}

static bool is_mounted(const ImageMounts *mounts, const Image *image, const char *directory) {
        for (size_t i = 0; i < mounts->n; i++)
                if (streq(mounts->list[i].target, directory) && streq(mounts->list[i].id, image->id))
                        return true;
        return false;
}

/* Once is enough where nobody said another directory. */
static int mount_on_own(const Image *image, char **ret, Error *reterr) {
        _cleanup_mounts_ ImageMounts mounts = { 0 };
        int r = image_mount_directory(image, ret, reterr);

        if (r >= 0)
                r = image_mounts_read(&mounts, reterr);
        return r < 0 || is_mounted(&mounts, image, *ret) ? r : image_mount(image, *ret, reterr);
}

static int mount_image(const char *path, const char *name, const char *directory) {
        _cleanup_free_ char *own = NULL, *real = NULL;
        _cleanup_store_ Store *store = NULL;
        _cleanup_image_ Image *image = NULL;
        Error error = { 0 };
        int r = store_open(path, false, &store, &error);

        /* With its lock nobody removes the image before the mount can be seen. */
        if (r >= 0)
                r = store_lock(store, false, &error);
        if (r >= 0)
                r = image_open(store->path, name, &image, &error);
        if (r >= 0)
                r = directory ? image_mount(image, directory, &error) : mount_on_own(image, &own, &error);
        if (r < 0)
                return cli_fail("%s", error.code ? error.text : strerror(-r));
        real = realpath(directory ? directory : own, NULL);
        if (!real)
                return cli_fail("cannot see where '%s' is: %s", directory ? directory : own, strerror(errno));
        puts(real);
        return 0;
}

int cmd_image_mount(int argc, char *argv[]) {
        static const struct option options[] = {
                { "json",  no_argument,       NULL, OPTION_JSON  },
                { "store", required_argument, NULL, OPTION_STORE },
                { "help",  no_argument,       NULL, 'h'          },
                {}
        };
        const char *store = NULL;
        bool json = false;
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case OPTION_JSON:
                        json = true;
                        break;
                case OPTION_STORE:
                        store = optarg;
                        break;
                case 'h':
                        fputs(mount_help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (argc - optind > 2)
                return cli_usage("image mount wants one image and one directory");
        if (optind == argc)
                return list(json);
        return mount_image(store, argv[optind], argc - optind == 2 ? argv[optind + 1] : NULL);
}

/* 0 where none of the image was mounted. */
static int unmount_everywhere(const char *path, const char *name, size_t *ret_n, Error *reterr) {
        _cleanup_mounts_ ImageMounts mounts = { 0 };
        _cleanup_image_ Image *image = NULL;
        int r = image_open(path, name, &image, reterr);

        *ret_n = 0;
        if (r >= 0)
                r = image_mounts_read(&mounts, reterr);
        /* From the last one on: one may lie on another. */
        for (size_t i = mounts.n; r >= 0 && i > 0; i--)
                if (streq(mounts.list[i - 1].id, image->id)) {
                        r = image_unmount(mounts.list[i - 1].target, reterr);
                        *ret_n += r >= 0;
                }
        return r;
}

static int unmount_one(const char *store, const char *text) {
        Error error = { 0 };
        size_t n;
        int r;

        if (strchr("/.", text[0]))
                r = image_unmount(text, &error);
        else {
                r = unmount_everywhere(store, text, &n, &error);
                if (r >= 0 && n == 0)
                        r = error_set(&error, -ENOENT, "image '%s' is not mounted", text);
        }
        return r < 0 ? cli_fail("%s", error.code ? error.text : strerror(-r)) : 0;
}

int cmd_image_unmount(int argc, char *argv[]) {
        static const struct option options[] = {
                { "store", required_argument, NULL, OPTION_STORE },
                { "help",  no_argument,       NULL, 'h'          },
                {}
        };
        const char *store = NULL;
        int c, code = 0;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case OPTION_STORE:
                        store = optarg;
                        break;
                case 'h':
                        fputs(unmount_help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (optind == argc)
                return cli_usage("image unmount wants images, or directories that begin with '/' or '.'");
        for (; optind < argc; optind++)
                if (unmount_one(store, argv[optind]) != 0)
                        code = CLI_FAILED;
        return code;
}
