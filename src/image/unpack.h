/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A layer's archive, from a stream into a directory. */

#include "image/stream.h"
#include "image/writer.h"

/* Reads the archive to its end (not the stream: stream_finish() does that). root is an empty directory. */
int unpack(Stream *stream, int root, WriterCounts *ret, Error *reterr);
