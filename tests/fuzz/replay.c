/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "util/fd.h"

/* Stands in for libFuzzer: runs a target over the files of corpus directories, or over single files. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (64U * 1024 * 1024)

static size_t n_inputs;

static int replay(int dir, const char *name) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r;

        r = read_file(dir, name, INPUT_MAX, &data, &size);
        if (r < 0)
                return r;
        n_inputs++;
        (void) LLVMFuzzerTestOneInput((const uint8_t *) data, size);
        return 0;
}

static int replay_path(const char *path) {
        DIR *d = opendir(path);
        int r = 0;

        if (!d)
                return replay(AT_FDCWD, path);
        for (struct dirent *e; r == 0 && (e = readdir(d));)
                if (e->d_name[0] != '.')
                        r = replay(dirfd(d), e->d_name);
        (void) closedir(d);
        return r;
}

int main(int argc, char *argv[]) {
        for (int i = 1; i < argc; i++) {
                int r = replay_path(argv[i]);

                if (r < 0) {
                        fprintf(stderr, "cannot replay %s: %s\n", argv[i], strerror(-r));
                        return EXIT_FAILURE;
                }
        }
        printf("%zu inputs\n", n_inputs);
        return n_inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
