/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "log.h"

/*
 * Rotated files are compressed by a child, one at a time and the newest first, to `<name>.<number>.gz`: plain gzip, whose first member is empty
 * and has the inode of the file that it stands for in its extra field, subfield "Be": readers know it again by that. Whatever goes wrong leaves
 * the plain file where it is.
 */

/* Starts with a file that is not compressed yet, unless a child is at work or there is none. */
void log_compress_next(struct log *log);
/* The files are about to move up by one number; those that reach `files` are gone. */
void log_compress_shift(struct log *log, uint32_t files);
/* Whether that child was ours. */
bool log_compress_reaped(struct log *log, pid_t pid, int status);
/* Gives an unfinished file up. */
void log_compress_end(struct log *log);
