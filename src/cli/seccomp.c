/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <getopt.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sandbox/seccomp.h"
#include "util/capability.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

static int usage(void) {
        puts("Usage: berth seccomp [OPTION…] [PROFILE]\n\n"
             "Compiles a seccomp profile, a JSON file as Podman and Docker have it, or the default one, into the\n"
             "cache, and prints where.\n\n"
             "  -c --cap=NAME[,…]  the capabilities of the payload, or none, or a mask such as 0x800405fb\n"
             "  -o --output=FILE   write the filter there; - is standard output");
        return 0;
}

/* Names, "none", or the bits as CapBnd in /proc/PID/status shows them, with 0x. */
static int caps_add(const char *text, uint64_t *caps) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy;

        if (!copy)
                return -ENOMEM;
        for (char *word; (word = strsep(&rest, ","));) {
                char *end;
                int n;

                if (streq(word, "none") || !*word)
                        continue;
                if (str_after(word, "0x")) {
                        errno = 0;
                        *caps |= strtoull(word, &end, 16);
                        if (*end || errno)
                                return -EINVAL;
                        continue;
                }
                n = capability_from_name(word);
                if (n < 0)
                        return n;
                *caps |= CAPABILITY(n);
        }
        return 0;
}

/* Compiled to memory first: a file that appears is whole. */
static int compile(const char *profile, uint64_t caps, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
        Error error;
        int r;

        if (fd < 0)
                return cli_fail("cannot make a memory file: %s", strerror(errno));
        if (seccomp_compile(profile, caps, fd, &error) < 0)
                return cli_fail("%s", error.text);
        r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : read_fd(fd, SIZE_MAX / 2, ret, ret_size);
        return r < 0 ? cli_fail("cannot read the filter: %s", strerror(-r)) : 0;
}

static int output(const char *file, const char *profile, uint64_t caps, const char *data, size_t size) {
        _cleanup_free_ char *name = NULL, *path = NULL;
        int r;

        if (file && streq(file, "-")) {
                r = write_all(STDOUT_FILENO, data, size);
                return r < 0 ? cli_fail("cannot write the filter: %s", strerror(-r)) : 0;
        }
        if (!file) {
                name = seccomp_cache_name(profile, caps);
                path = name ? str_format(BERTH_CACHE_DIR "/%s", name) : NULL;
                if (!path)
                        return cli_fail("out of memory");
                r = mkdir_parents(AT_FDCWD, BERTH_CACHE_DIR, 0755);
                if (r < 0)
                        return cli_fail("cannot make '%s': %s", BERTH_CACHE_DIR, strerror(-r));
                puts(path);
        }
        r = write_file(AT_FDCWD, file ?: path, data, size, 0644, false);
        return r < 0 ? cli_fail("cannot write '%s': %s", file ?: path, strerror(-r)) : 0;
}

int cmd_seccomp(int argc, char *argv[]) {
        static const struct option options[] = {
                { "cap",    required_argument, NULL, 'c' },
                { "output", required_argument, NULL, 'o' },
                { "help",   no_argument,       NULL, 'h' },
                { NULL,     0,                 NULL, 0   },
        };
        _cleanup_free_ char *profile = NULL, *data = NULL;
        uint64_t caps = 0;
        bool caps_given = false;
        const char *file = NULL;
        size_t size;
        int c, r;

        while ((c = getopt_long(argc, argv, "c:o:h", options, NULL)) >= 0)
                switch (c) {
                case 'c':
                        if (caps_add(optarg, &caps) < 0)
                                return cli_usage("unknown capability in '%s'", optarg);
                        caps_given = true;
                        break;
                case 'o':
                        file = optarg;
                        break;
                case 'h':
                        return usage();
                default:
                        return cli_usage("unknown option");
                }
        if (argc - optind > 1)
                return cli_usage("one profile at a time");
        if (!caps_given)
                caps = CAPABILITIES_DEFAULT;
        if (optind < argc) {
                r = read_file(AT_FDCWD, argv[optind], SECCOMP_PROFILE_MAX, &profile, NULL);
                if (r < 0)
                        return cli_fail("cannot read '%s': %s", argv[optind], strerror(-r));
        }
        r = compile(profile, caps, &data, &size);
        return r != 0 ? r : output(file, profile, caps, data, size);
}
