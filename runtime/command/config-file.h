/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>

#include "error.h"

/* The bytes of a document, for those who keep them as they are; free(text). */
struct config_text {
        char *text;
        size_t size;
};

/*
 * Reads a JSON object of up to JSON_SIZE_MAX bytes from a file below `directory` (AT_FDCWD) or, for "-", from standard input. ret_text
 * may be NULL; the caller json_decref()s *ret.
 */
int config_file_read(int directory, const char *name, struct config_text *ret_text, json_t **ret, struct berth_error *err);
