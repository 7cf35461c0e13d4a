/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../../runtime/lib/error.h"

#include <stdbool.h>

/* Reads a file from its descriptor to the end, and prints `{"digest":"sha256:…","size":…}`; at the lowest priority unless it is to be prompt. */
int digest_print(int file, bool prompt, struct berth_error *err);
