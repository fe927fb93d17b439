/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An archive of blobs: its table of contents, and what it gives for the names that a load asks for. */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/source-tar.h"
#include "util/fd.h"

#define READ_MAX (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
        if (!ok)
                abort();
}

static void try_blob(TarSource *source, const char *name, size_t size) {
        _cleanup_blob_ Blob *blob = NULL;
        _cleanup_free_ char *text = NULL;
        uint64_t said = 0;
        size_t got = 0;
        Error e = { 0 };

        if (tar_source_blob(source, name, &blob, &said, &e) < 0)
                return;
        if (blob_read_all(blob, READ_MAX, &text, &got, &e) >= 0)
                check(got <= size);
        else
                check(e.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const names[] = { "index.json", "manifest.json", "a/layer.tar", "b/../a/layer.tar", "/", "", "../x" };
        _cleanup_tar_source_ TarSource *source = NULL;
        int fd = memfd_create("source", MFD_CLOEXEC);
        Error e = { 0 };

        check(fd >= 0 && write_all(fd, data, size) == 0);
        if (tar_source_open("input", fd, &source, &e) < 0) {
                check(e.text[0]);
                fd_close(fd);
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                try_blob(source, names[i], size);
        return 0;
}
