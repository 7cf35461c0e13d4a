/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "plan.h"
#include "timestamp.h"

#define LOG_LINE_MAX PLAN_LOG_LINE_MAX /* Docker cuts longer lines into records of this size */
#define LOG_BUFFER_SIZE 131072

enum log_stream { LOG_STDOUT = 0, LOG_STDERR = 1, LOG_STREAMS };

/* The begun line of a stream. */
struct log_tail {
        uint8_t *bytes; /* LOG_LINE_MAX of them */
        size_t size;
        char time[TIMESTAMP_MAX]; /* of the first record of a cut line; all its records carry it */
        bool cut;
};

/* The log of the container, written by nobody else. With PLAN_LOG_NONE `fd` is -1 and writing does nothing. */
struct log {
        enum plan_log driver;
        int fd, directory; /* directory: O_PATH, of the file */
        const char *path;  /* the plan's */
        const char *name;  /* its last component */
        uint64_t size, max_bytes;
        uint64_t last;  /* time of the newest record, ns since 1970 */
        uint64_t whole; /* up to here the file has whole records only */
        uint32_t max_files, line_max;
        const char *compressor;      /* berth-unpack, or NULL */
        pid_t compressing;           /* 0: nobody is at work */
        uint32_t compressing_number; /* the file that it compresses, as it is called by now */
        int failure; /* errno of a write that failed: its records are lost, never the container's time; 0 once one succeeds again */
        struct log_tail tail[LOG_STREAMS];

        enum log_stream open; /* the stream whose record stands in the file without its end; LOG_STREAMS: none */
        size_t open_size;     /* bytes of output in that record */
        uint64_t open_at;     /* where it begins, or will begin, in the file */

        size_t used;
        uint8_t lines[LOG_STREAMS][LOG_LINE_MAX]; /* the tails' bytes; the arrays stand last, so that an unused one costs no page */
        char buffer[LOG_BUFFER_SIZE];
};

int log_open(struct log *log, const struct keeper_plan *keeper, struct berth_error *err);
/* Somebody renamed the file: goes on in a new one of the same name, in the directory that was opened first. */
int log_reopen(struct log *log, struct berth_error *err);
void log_close(struct log *log);
/* Nothing is held for a record to come. */
bool log_is_empty(const struct log *log);

/* Sets log->failure when that is not possible. */
void log_write(struct log *log, enum log_stream stream, const uint8_t *bytes, size_t size);
/* The stream has ended: an unfinished line is written as it is. */
void log_end(struct log *log, enum log_stream stream);
