/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "log-compress.h"
#include "log-file.h"
#include "log-record.h"

/* Of one line's continuation, so that it fits into the buffer together with its end. */
#define LOG_PIECE_MAX (LOG_BUFFER_SIZE / 2)

static const char *log_stream_name(enum log_stream stream) {
        return stream == LOG_STDOUT ? "stdout" : "stderr";
}

int log_open(struct log *log, const struct keeper_plan *keeper, struct berth_error *err) {
        log->fd = log->directory = -1;
        log->driver = keeper->log;
        log->compressor = NULL;
        log->compressing = 0;
        log->used = 0;
        log->last = 0;
        log->open = LOG_STREAMS;
        for (unsigned i = 0; i < LOG_STREAMS; i++)
                log->tail[i] = (struct log_tail){.bytes = log->lines[i]};
        if (log->driver == PLAN_LOG_NONE)
                return 0;
        log->path = keeper->log_path;
        log->max_bytes = keeper->log_max_bytes;
        log->max_files = keeper->log_max_files > 0 ? keeper->log_max_files : 1;
        log->line_max = keeper->log_line_max > 0 ? keeper->log_line_max : LOG_LINE_MAX;
        log->compressor = log->max_files > 1 ? keeper->log_compressor : NULL;
        int r = log_file_open(log, err);
        if (r == 0)
                log_compress_next(log); /* what an earlier run has left */
        return r;
}

void log_close(struct log *log) {
        log_compress_end(log);
        cleanup_close(&log->fd);
        cleanup_close(&log->directory);
        log->fd = log->directory = -1;
}

bool log_is_empty(const struct log *log) {
        return log->used == 0 && log->tail[LOG_STDOUT].size == 0 && log->tail[LOG_STDERR].size == 0;
}

/* ---- records ---- */

static void log_append(struct log *log, const void *bytes, size_t size) {
        memcpy(log->buffer + log->used, bytes, size);
        log->used += size;
}

/* Ends the record that stands open; what its line goes on with is another one's. */
static void log_finish_open(struct log *log) {
        if (log->open == LOG_STREAMS)
                return;
        if (log->used == LOG_BUFFER_SIZE)
                log_file_flush(log);
        if (log->open != LOG_STREAMS) /* a failing write has thrown it away */
                log_append(log, "\n", 1);
        log->open = LOG_STREAMS;
}

static void log_put(struct log *log, enum log_stream stream, const uint8_t *line, size_t size, bool newline, const char *time) {
        log_finish_open(log);
        log_file_make_room(log, LOG_RECORD_MAX(size));
        char *start = log->buffer + log->used;
        char *end = log->driver == PLAN_LOG_CRI ? log_record_write_cri(start, line, size, newline, log_stream_name(stream), time)
                                                : log_record_write(start, line, size, newline, log_stream_name(stream), time);
        log->used += (size_t) (end - start);
}

static void log_put_line(struct log *log, enum log_stream stream, const uint8_t *line, size_t size, const char *now) {
        struct log_tail *tail = &log->tail[stream];
        log_put(log, stream, line, size, true, tail->cut ? tail->time : now);
        tail->cut = false;
}

static const char *log_cut_time(struct log_tail *tail, const char *now) {
        if (!tail->cut)
                memcpy(tail->time, now, sizeof(tail->time));
        tail->cut = true;
        return tail->time;
}

static void log_put_part(struct log *log, enum log_stream stream, const uint8_t *line, size_t size, const char *now) {
        log_put(log, stream, line, size, false, log_cut_time(&log->tail[stream], now));
}

/* ---- records larger than a tail: only CRI has them, whose mark of a part stands in front ---- */

/* Begins a record that is a part of its line, however it goes on. */
static void log_open_part(struct log *log, enum log_stream stream, const uint8_t *line, size_t size, const char *now) {
        log_put_part(log, stream, line, size, now);
        log->used--; /* its newline */
        log->open = stream;
        log->open_size = size;
        log->open_at = log->size + log->used - log_record_size_cri(size, log_stream_name(stream), log->tail[stream].time) + 1;
}

/* Takes bytes into the record that stands open. A line that ends in it has an empty rest. */
static size_t log_take_open(struct log *log, const uint8_t *bytes, size_t size, const char *now) {
        enum log_stream stream = log->open;
        size_t room = log->line_max - log->open_size;
        size_t part = size < room ? size : room;
        part = part < LOG_PIECE_MAX ? part : LOG_PIECE_MAX;
        const uint8_t *newline = memchr(bytes, '\n', part);
        size_t taken = newline ? (size_t) (newline - bytes) : part;

        if (LOG_BUFFER_SIZE - log->used < taken)
                log_file_flush(log);
        if (log->open == stream) {
                log_append(log, bytes, taken);
                log->open_size += taken;
        }
        if (newline)
                log_put_line(log, stream, NULL, 0, now);
        else if (log->open_size == log->line_max)
                log_finish_open(log);
        return newline ? taken + 1 : taken;
}

/* ---- output ---- */

/* Takes bytes up to the end of the line at the front, or as many as a record holds. */
static size_t log_take(struct log *log, enum log_stream stream, const uint8_t *bytes, size_t size, const char *now) {
        if (log->open == stream)
                return log_take_open(log, bytes, size, now);
        struct log_tail *tail = &log->tail[stream];
        size_t limit = log->line_max < LOG_LINE_MAX ? log->line_max : LOG_LINE_MAX;
        size_t room = limit - tail->size;
        size_t part = size < room ? size : room;
        const uint8_t *newline = memchr(bytes, '\n', part);
        size_t taken = newline ? (size_t) (newline - bytes) : part;

        const uint8_t *line = bytes;
        size_t line_size = taken;
        if (tail->size > 0 || (!newline && part < room)) {
                memcpy(tail->bytes + tail->size, bytes, taken);
                tail->size += taken;
                line = tail->bytes;
                line_size = tail->size;
        }
        if (!newline && line_size < limit)
                return taken;
        if (newline)
                log_put_line(log, stream, line, line_size, now);
        else if (log->line_max > limit)
                log_open_part(log, stream, line, line_size, now);
        else
                log_put_part(log, stream, line, line_size, now);
        tail->size = 0;
        return newline ? taken + 1 : taken;
}

/* A clock that steps back a little stands still instead. */
#define LOG_STEP_MIN 1000000000ULL

/* The time of a record to come. */
static void log_now(struct log *log, char ret[static TIMESTAMP_MAX]) {
        uint64_t now = timestamp_now();
        if (now < log->last && log->last - now < LOG_STEP_MIN)
                now = log->last;
        else if (now < log->last && log->driver == PLAN_LOG_JSON_FILE)
                log_file_begin_segment(log);
        log->last = now;
        timestamp_format(now, ret);
}

void log_write(struct log *log, enum log_stream stream, const uint8_t *bytes, size_t size) {
        if (log->fd < 0)
                return;
        char now[TIMESTAMP_MAX];
        log_now(log, now);
        while (size > 0) {
                size_t taken = log_take(log, stream, bytes, size, now);
                bytes += taken;
                size -= taken;
        }
        log_file_flush(log);
}

void log_end(struct log *log, enum log_stream stream) {
        struct log_tail *tail = &log->tail[stream];
        if (log->fd < 0 || (tail->size == 0 && log->open != stream))
                return;
        char now[TIMESTAMP_MAX];
        log_now(log, now);
        if (log->open == stream)
                log_finish_open(log);
        else
                log_put_part(log, stream, tail->bytes, tail->size, now);
        tail->size = 0;
        log_file_flush(log);
}

int log_reopen(struct log *log, struct berth_error *err) {
        if (log->fd < 0)
                return 0;
        log_finish_open(log);
        log_file_flush(log);
        return log_file_reopen(log, err);
}
