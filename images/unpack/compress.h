/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "block-codec.h"
#include "sha256.h"

#include "../../runtime/lib/error.h"

struct compressed {
        uint64_t size;
        uint8_t digest[32];
};

/*
 * Compresses `from` to `to`, blocks of it at a time on every processor that we may use. The same bytes give the same bytes, whatever the
 * number of processors. The work is done by children that can only read and write; all of them are reaped when this returns.
 */
int compress_run(int from, int to, const struct block_codec *codec, struct compressed *ret, struct berth_error *err);
