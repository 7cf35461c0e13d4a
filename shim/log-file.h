/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "log.h"

/* The file below the records: its buffer, its size, its successors. */

/* Opens the plan's file and its directory. */
int log_file_open(struct log *log, struct berth_error *err);
int log_file_reopen(struct log *log, struct berth_error *err);

/* Writes what is buffered. A record is never left torn: what a failing write(2) began is cut off again. */
void log_file_flush(struct log *log);
/* Goes on in a new file, also where there is no limit: within one file times do not go back, so that readers find a time by halving. */
void log_file_begin_segment(struct log *log);
/* Makes room for `size` bytes, and for a record: rotates a file that has reached its limit. */
void log_file_make_room(struct log *log, size_t size);
