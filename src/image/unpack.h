/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A layer's archive, from a stream into a directory, and the record of what it was (tar-record.h). */

#include "image/stream.h"
#include "image/writer.h"

/* Reads the archive and the stream to their ends. root is an empty directory; the record goes into directory layer, which must be
 * on the same file system, and is not written where that is negative. */
int unpack(Stream *stream, int root, int layer, WriterCounts *ret, Error *reterr);
