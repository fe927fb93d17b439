/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>

#include "cli/image.h"
#include "cli/prune.h"
#include "image/name.h"
#include "run/release.h"

static const char help[] =
        "berth prune [OPTION…]\n"
        "\n"
        "Removes images that nothing needs, and layers that no image has. What is needed: an image with a name, one that an app\n"
        "runs or that is mounted, and one that a release can be rolled back to.\n"
        "\n"
        "  -a, --all              also images with names, where no spec on this machine names them\n"
        "      --keep=N           keep N of each repository, those that were needed last (0)\n"
        "      --older-than=TIME  keep those that were needed less than TIME ago: 7d, 12h, 30min (0)\n"
        "      --free=SIZE        remove no more than has to go for SIZE to be free: 20G, or 10% of the disk\n"
        "      --config[=FILE]    what is not said here is as in FILE (/etc/berth/prune.conf), or, without that file,\n"
        "                         --keep=1 --older-than=7d\n"
        "  -n, --dry-run          only say what would go\n"
        "      --json             as a JSON object\n"
        "  -q, --quiet            say nothing\n"
        "      --store=DIR        use the store in DIR\n"
        "  -h, --help             show this\n";

enum {
        OPTION_KEEP = 256,
        OPTION_OLDER_THAN,
        OPTION_FREE,
        OPTION_CONFIG,
        OPTION_JSON,
        OPTION_STORE,
};

static const struct option options[] = {
        { "all",        no_argument,       NULL, 'a'               },
        { "keep",       required_argument, NULL, OPTION_KEEP       },
        { "older-than", required_argument, NULL, OPTION_OLDER_THAN },
        { "free",       required_argument, NULL, OPTION_FREE       },
        { "config",     optional_argument, NULL, OPTION_CONFIG     },
        { "dry-run",    no_argument,       NULL, 'n'               },
        { "json",       no_argument,       NULL, OPTION_JSON       },
        { "quiet",      no_argument,       NULL, 'q'               },
        { "store",      required_argument, NULL, OPTION_STORE      },
        { "help",       no_argument,       NULL, 'h'               },
        {}
};

/* The timer's, where nobody wrote a file. */
#define DEFAULT_KEEP 1
#define DEFAULT_MIN_AGE (7 * 86400)

typedef struct Prune {
        const char *store, *config;
        const char *keep, *older_than, *free; /* the options' texts */
        bool all, dry_run, json, quiet;
        char **needed; /* ids that specs need */
        Buf images;    /* JSON */
} Prune;

static int is_needed(void *userdata, const StoreImage *image, Error *reterr) {
        Prune *p = userdata;

        return strv_contains(p->needed, image->image->id);
}

static int add_json(Buf *b, const StoreImage *image, const char *since, uint64_t bytes) {
        int r = buf_printf(b, "%s{\"id\":\"%s\",\"names\":[", b->size > 0 ? "," : "", image->image->id);

        for (char **name = image->names; r >= 0 && *name; name++) {
                r = buf_puts(b, name > image->names ? "," : "");
                if (r >= 0)
                        r = json_quote(b, *name);
        }
        return r < 0 ? r : buf_printf(b, "],\"needed\":\"%s\",\"bytes\":%llu}", since, (unsigned long long) bytes);
}

static void tell_removed(void *userdata, const StoreImage *image, uint64_t since, uint64_t bytes) {
        Prune *p = userdata;
        char when[64], size[32];

        image_time_text(since, p->json ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M", when);
        if (p->json) {
                (void) add_json(&p->images, image, when, bytes);
                return;
        }
        if (p->quiet)
                return;
        size_text(bytes, size);
        printf("%s %s  needed until %s, %s\n", p->dry_run ? "would delete" : "deleted", image->image->id, when, size);
        for (char **name = image->names; *name; name++)
                printf("%s %s\n", p->dry_run ? "would untag" : "untagged", *name);
}

static int set(PrunePolicy *policy, const char *option, const char *key, const char *text) {
        Error error = { 0 };

        if (text && prune_set(policy, key, text, &error) < 0)
                return cli_usage("--%s: %s", option, error.text);
        return 0;
}

static int make_policy(const Prune *p, PrunePolicy *policy) {
        Error error = { 0 };
        int r;

        if (p->config) {
                r = prune_read_conf(p->config, policy, &error);
                if (r == -ENOENT && !streq(p->config, PRUNE_CONF))
                        return cli_fail("there is no %s", p->config);
                if (r < 0 && r != -ENOENT)
                        return cli_fail("%s", error.code ? error.text : strerror(-r));
                if (r == -ENOENT) {
                        policy->keep = DEFAULT_KEEP;
                        policy->min_age = DEFAULT_MIN_AGE;
                }
        }
        policy->dry_run = p->dry_run;
        policy->all = policy->all || p->all;
        r = set(policy, "keep", "Keep", p->keep);
        if (r == 0)
                r = set(policy, "older-than", "OlderThan", p->older_than);
        return r != 0 ? r : set(policy, "free", "Free", p->free);
}

static void print_result(const Prune *p, const Pruned *done) {
        char size[32];

        size_text(done->bytes, size);
        if (p->json)
                printf("{\"dry_run\":%s,\"images\":[%s],\"layers\":%zu,\"bytes\":%llu}\n", p->dry_run ? "true" : "false",
                        p->images.data ? p->images.data : "", done->layers, (unsigned long long) done->bytes);
        else if (!p->quiet)
                printf("%s: images %zu, layers %zu, %s\n", p->dry_run ? "would go" : "gone", done->images, done->layers, size);
}

static int prune(Prune *p) {
        PruneCalls calls = { .needed = is_needed, .removed = tell_removed, .userdata = p };
        _cleanup_store_ Store *store = NULL;
        PrunePolicy policy = { 0 };
        Pruned done = { 0 };
        Error error = { 0 };
        int r = make_policy(p, &policy);

        if (r != 0)
                return r;
        r = store_open(p->store, false, &store, &error);
        if (r == -ENOENT) { /* nothing was ever stored */
                print_result(p, &done);
                return 0;
        }
        if (r >= 0 && !p->store && !p->dry_run && (r = releases_forget_gone()) < 0)
                (void) error_set_errno(&error, r, "cannot forget the releases of apps that are gone");
        if (r >= 0 && policy.all)
                r = prune_spec_images(store->path, &p->needed, &error);
        if (r >= 0)
                r = store_prune(store, &policy, &calls, &done, &error);
        if (r >= 0 || done.images > 0)
                print_result(p, &done);
        return r < 0 ? cli_fail("cannot prune: %s", error.code ? error.text : strerror(-r)) : 0;
}

int cmd_prune(int argc, char *argv[]) {
        Prune p = { 0 };
        int c, code;

        while ((c = getopt_long(argc, argv, "anqh", options, NULL)) >= 0)
                switch (c) {
                case 'a':
                        p.all = true;
                        break;
                case OPTION_KEEP:
                        p.keep = optarg;
                        break;
                case OPTION_OLDER_THAN:
                        p.older_than = optarg;
                        break;
                case OPTION_FREE:
                        p.free = optarg;
                        break;
                case OPTION_CONFIG:
                        p.config = optarg ? optarg : PRUNE_CONF;
                        break;
                case 'n':
                        p.dry_run = true;
                        break;
                case OPTION_JSON:
                        p.json = true;
                        break;
                case 'q':
                        p.quiet = true;
                        break;
                case OPTION_STORE:
                        p.store = optarg;
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 0;
                default:
                        return CLI_USAGE;
                }
        if (optind < argc)
                return cli_usage("prune takes no arguments: berth rmi removes images by name");
        code = prune(&p);
        strv_free(p.needed);
        buf_clear(&p.images);
        return code;
}
