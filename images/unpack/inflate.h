/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report.h"

struct inflate_input {
        int blob;
        int growth; /* -1: the blob is whole; else a pipe: a byte comes after more of the blob has been written, its end after all of it */
};

/*
 * Decompresses the blob into the pipe `to`; gzip, zstd, xz, bzip2 and plain bytes are told apart by their first bytes. The bytes written
 * and their ratio to those read are limited.
 */
int inflate_run(const struct inflate_input *input, int to, const struct limits *limits, struct berth_error *err);
