/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "image/layer.h"
#include "image/packed.h"
#include "image/stream.h"
#include "image/unpack.h"
#include "util/fd.h"

#define LAYER_WORK "layer"

static int verify(const Blob *blob, const LayerRequest *request, const StreamResult *result, Error *reterr) {
        if (request->digest && !streq(request->digest, result->digest))
                return error_set(reterr, -EBADMSG, "%s is broken: its digest is %s instead of %s", blob_name(blob), result->digest,
                        request->digest);
        if (request->diff_id && !streq(request->diff_id, result->diff_id))
                return error_set(reterr, -EBADMSG, "%s is not the layer that the image names: unpacked it is %s instead of %s",
                        blob_name(blob), result->diff_id, request->diff_id);
        return 0;
}

static int unpack_and_verify(Blob *blob, const LayerRequest *request, int work, StreamResult *ret, WriterCounts *ret_counts,
        Error *reterr) {
        _cleanup_close_ int root = openat(work, LAYER_WORK "/root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_close_ int layer = openat(work, LAYER_WORK, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_stream_ Stream *stream = NULL;
        int r;

        if (root < 0 || layer < 0)
                return error_set_errno(reterr, -errno, "cannot open a directory of the image store");
        r = stream_new(blob, &stream, reterr);
        if (r < 0)
                return r;
        stream_set_progress(stream, request->progress, request->userdata);
        r = unpack(stream, root, layer, ret_counts, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "cannot unpack %s", blob_name(blob));
                return r;
        }
        r = stream_finish(stream, ret, reterr);
        return r < 0 ? r : verify(blob, request, ret, reterr);
}

/* What is trivial is not written down: that the archive alone is the layer. */
static int remember(int work, const LayerRequest *request, const StreamResult *result, Error *reterr) {
        _cleanup_close_ int layer = -EBADF;
        OciLayer blob = { .size = result->size, .format = result->format };
        int r;

        if (result->format < 0 || (result->format == PACK_NONE && !request->place))
                return 0;
        memcpy(blob.digest, result->digest, sizeof(blob.digest));
        layer = openat(work, LAYER_WORK, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = layer < 0 ? -errno : packed_add(layer, &blob, request->place);
        return r < 0 ? error_set_errno(reterr, r, "cannot write to the image store") : 0;
}

int layer_add(StoreWork *work, Blob *blob, const LayerRequest *request, char ret_diff_id[static 72], LayerMeta *ret_meta,
        Error *reterr) {
        StreamResult result;
        WriterCounts counts;
        LayerMeta meta;
        int r;

        if (mkdirat(work->fd, LAYER_WORK, 0700) < 0 || mkdirat(work->fd, LAYER_WORK "/root", 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make a directory in the image store");
        r = unpack_and_verify(blob, request, work->fd, &result, &counts, reterr);
        if (r >= 0)
                r = remember(work->fd, request, &result, reterr);
        if (r >= 0) {
                meta = (LayerMeta){ .size = counts.bytes, .entries = counts.entries, .tar_size = result.unpacked_size };
                r = store_layer_commit(work, LAYER_WORK, result.diff_id, &meta, reterr);
        }
        /* After a failure, or where another load was faster. */
        (void) remove_tree(work->fd, LAYER_WORK);
        if (r < 0)
                return r;
        memcpy(ret_diff_id, result.diff_id, sizeof(result.diff_id));
        *ret_meta = meta;
        return r;
}
