/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

/* Reads a file from its descriptor to the end, and prints `{"digest":"sha256:…","size":…}`. */
int digest_print(int file, struct berth_error *err);
