/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that a record of `size` bytes can take: every byte as \u00XX, plus keys and time. */
#define LOG_RECORD_MAX(size) ((size) *6 + 128)

/*
 * Writes one record as Docker's json-file driver does, {"log":"…\n","stream":"stdout","time":"…"} and a newline, and returns
 * its end. `newline` says whether the line was complete. The room at `at` is LOG_RECORD_MAX(size) at least.
 */
char *log_record_write(char *at, const uint8_t *line, size_t size, bool newline, const char *stream, const char *time);

/* The same in the CRI's format: time, stream, F (P when the line was cut), the bytes as they are, and a newline. */
char *log_record_write_cri(char *at, const uint8_t *line, size_t size, bool newline, const char *stream, const char *time);
/* Its size. */
size_t log_record_size_cri(size_t size, const char *stream, const char *time);
