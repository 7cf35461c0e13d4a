/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report.h"

/*
 * Decompresses the blob on `from` into the pipe `to`; gzip, zstd, xz, bzip2 and plain bytes are told apart by their first bytes. The bytes written
 * and their ratio to those read are limited.
 */
int inflate_run(int from, int to, const struct limits *limits, struct berth_error *err);
