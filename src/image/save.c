/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/save-internal.h"
#include "util/fd.h"

static const struct {
        const char *name;
        int (*image)(Save *save, const Export *e, Error *reterr);
        int (*end)(Save *save, Error *reterr);
} formats[_SAVE_FORMAT_MAX] = {
        [SAVE_OCI]           = { "oci",     save_oci_image,    save_oci_end    },
        [SAVE_OCI_DIRECTORY] = { "oci-dir", save_oci_image,    save_oci_end    },
        [SAVE_DOCKER]        = { "docker",  save_docker_image, save_docker_end },
};

SaveFormat save_format_from_string(const char *text) {
        for (SaveFormat f = 0; f < _SAVE_FORMAT_MAX; f++)
                if (streq(formats[f].name, text))
                        return f;
        return _SAVE_FORMAT_INVALID;
}

int save_layer(Save *save, const Export *e, size_t i, const char *name, OciLayer *ret, Error *reterr) {
        _cleanup_blob_ Blob *blob = NULL;
        Blob *archive;
        int r = export_layer(save->store, e, i, &save->options->progress, &archive, reterr);

        if (r < 0)
                return r;
        *ret = (OciLayer){ .size = e->tar_sizes[i], .format = save->options->pack };
        if (ret->format == PACK_NONE) {
                blob = archive;
                (void) snprintf(ret->digest, sizeof(ret->digest), "%s", e->diff_ids[i]);
                return sink_blob(save->sink, name, e->tar_sizes[i], blob, reterr);
        }
        r = pack_blob(archive, ret->format, &blob, reterr);
        return r < 0 ? r : sink_unsized(save->sink, name, blob, ret->digest, &ret->size, reterr);
}

static int save_all(Save *save, char *const *references, Error *reterr) {
        SaveFormat format = save->options->format;
        int r = 0;

        for (char *const *p = references; r >= 0 && *p; p++) {
                _cleanup_export_ Export e = { 0 };

                r = export_open(save->store, *p, &e, reterr);
                if (r < 0)
                        return r;
                r = formats[format].image(save, &e, reterr);
                if (r < 0)
                        (void) error_prefix(reterr, "image '%s'", *p);
        }
        if (r >= 0)
                r = formats[format].end(save, reterr);
        return r < 0 ? r : sink_finish(save->sink, reterr);
}

static int save_to(Store *store, char *const *references, int fd, const SaveOptions *options, Error *reterr) {
        _cleanup_sink_ Sink *sink = NULL;
        _cleanup_work_ StoreWork *work = NULL;
        _cleanup_json_ json_t *index = json_array(), *manifest = json_array();
        Save save = { .store = store, .options = options, .index = index, .manifest = manifest };
        int r = index && manifest ? store_work_new(store, &work, reterr) : -ENOMEM;

        if (r >= 0)
                r = sink_open(fd, work->fd, &sink, reterr);
        save.sink = sink;
        return r < 0 ? r : save_all(&save, references, reterr);
}

/* Made beside the target under another name, which is *ret. */
static int open_beside(const char *path, bool directory, char **ret, int *ret_fd, Error *reterr) {
        _cleanup_free_ char *beside = NULL;
        size_t n = strlen(path);
        int fd;

        while (n > 1 && path[n - 1] == '/')
                n--;
        beside = str_format("%.*s.#%d", (int) n, path, (int) getpid());
        if (!beside)
                return -ENOMEM;
        if (directory)
                fd = mkdir(beside, 0755) < 0 ? -1 : open(beside, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        else
                fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot make %s", beside);
        *ret = TAKE_PTR(beside);
        *ret_fd = fd;
        return 0;
}

/* Pipes and devices are written to as they are. */
static bool is_special(const char *path) {
        struct stat st;

        return stat(path, &st) >= 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/* What could not take the output in the end is refused before the work. */
static int check_target(const char *path, bool directory, Error *reterr) {
        struct dirent **entries;
        struct stat st;
        int n;

        if (stat(path, &st) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "cannot look at %s", path);
        if (!directory)
                return S_ISDIR(st.st_mode) ? error_set(reterr, -EISDIR, "%s is a directory", path) : 0;
        if (!S_ISDIR(st.st_mode))
                return error_set(reterr, -ENOTDIR, "%s is not a directory", path);
        n = scandir(path, &entries, NULL, NULL);
        for (int i = 0; i < n; i++)
                free(entries[i]);
        if (n >= 0)
                free(entries);
        if (n < 0)
                return error_set_errno(reterr, -errno, "cannot read %s", path);
        return n > 2 ? error_set(reterr, -ENOTEMPTY, "%s is not empty", path) : 0; /* "." and ".." */
}

static int save_to_path(Store *store, char *const *references, const char *path, const SaveOptions *options, Error *reterr) {
        bool directory = options->format == SAVE_OCI_DIRECTORY;
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *beside = NULL;
        int r;

        if (!directory && is_special(path)) {
                fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
                if (fd < 0)
                        return error_set_errno(reterr, -errno, "cannot open %s", path);
                return save_to(store, references, fd, options, reterr);
        }
        r = check_target(path, directory, reterr);
        if (r >= 0)
                r = open_beside(path, directory, &beside, &fd, reterr);
        if (r < 0)
                return r;
        r = save_to(store, references, fd, options, reterr);
        if (r >= 0 && rename(beside, path) < 0)
                r = error_set_errno(reterr, -errno, "cannot put the output in its place");
        if (r < 0)
                (void) remove_tree(AT_FDCWD, beside);
        return r;
}

int save_images(Store *store, char *const *references, const char *path, const SaveOptions *options, Error *reterr) {
        if (path)
                return save_to_path(store, references, path, options, reterr);
        if (options->format == SAVE_OCI_DIRECTORY)
                return error_set(reterr, -EINVAL, "a directory cannot go to standard output");
        return save_to(store, references, STDOUT_FILENO, options, reterr);
}
