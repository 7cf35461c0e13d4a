/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <unistd.h>

#include "fuzz.h"
#include "log.h"

#define OUTPUT_MAX (40U << 10)

/* Bytes of a stream, as written and as the log tells them; what is not UTF-8 has become U+FFFD in a log of JSON. */
struct output {
        uint8_t bytes[3 * OUTPUT_MAX];
        size_t size;
};

static struct output expected[LOG_STREAMS], found[LOG_STREAMS];

static void append(struct output *output, const void *bytes, size_t size) {
        must(size <= sizeof output->bytes - output->size, "room");
        memcpy(output->bytes + output->size, bytes, size);
        output->size += size;
}

/* Bytes of the character at the front, 0: not one. By its value, not by the table of lead bytes. */
static size_t character(const uint8_t *at, size_t left) {
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t size = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
        if (size <= 1 || size > left)
                return size == 1;
        uint32_t value = at[0] & (0xffU >> (size + 1));
        for (size_t i = 1; i < size; i++) {
                if (at[i] >> 6 != 2)
                        return 0;
                value = value << 6 | (at[i] & 0x3f);
        }
        return value >= least[size] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff) ? size : 0;
}

/* One record's part of a line. */
static void expect(enum log_stream stream, enum plan_log driver, const uint8_t *bytes, size_t size) {
        for (size_t i = 0; driver == PLAN_LOG_JSON_FILE && i < size;) {
                size_t n = character(bytes + i, size - i);
                append(&expected[stream], n ? (const void *) (bytes + i) : "\xef\xbf\xbd", n ? n : 3);
                i += n ? n : 1;
        }
        if (driver == PLAN_LOG_CRI)
                append(&expected[stream], bytes, size);
}

/* What one stream wrote, record by record: up to the newline, or as much as a record holds. */
static void expect_stream(enum log_stream stream, enum plan_log driver, const uint8_t *bytes, size_t size, size_t line_max) {
        for (size_t at = 0; at < size;) {
                size_t left = size - at < line_max ? size - at : line_max;
                const uint8_t *newline = memchr(bytes + at, '\n', left);
                size_t n = newline ? (size_t) (newline - bytes) - at : left;
                expect(stream, driver, bytes + at, n);
                at += n;
                if (at < size && bytes[at] == '\n' && (newline || n < line_max)) {
                        append(&expected[stream], "\n", 1);
                        at++;
                }
        }
}

static void read_json(const char *line, size_t size) {
        json_error_t error;
        json_t *record = json_loadb(line, size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
        must(record && json_object_size(record) == 3, "%s: %.*s", error.text, (int) size, line);
        json_t *log = json_object_get(record, "log");
        const char *stream = json_string_value(json_object_get(record, "stream"));
        must(json_is_string(log) && stream && json_is_string(json_object_get(record, "time")), "%.*s", (int) size, line);
        append(&found[strcmp(stream, "stderr") == 0], json_string_value(log), json_string_length(log));
        json_decref(record);
}

static void read_cri(const char *line, size_t size) {
        const char *stream = memchr(line, ' ', size), *end = line + size;
        must(stream && end - stream >= 10 && stream[-1] == 'Z', "%.*s", (int) size, line);
        must(strncmp(stream, " stdout ", 8) == 0 || strncmp(stream, " stderr ", 8) == 0, "%.*s", (int) size, line);
        must((stream[8] == 'F' || stream[8] == 'P') && stream[9] == ' ', "%.*s", (int) size, line);
        struct output *output = &found[strncmp(stream, " stderr", 7) == 0];
        append(output, stream + 10, (size_t) (end - stream - 10));
        if (stream[8] == 'F')
                append(output, "\n", 1);
}

static void read_file(const char *path, enum plan_log driver) {
        static char content[16U << 20];
        FILE *file = fopen(path, "re");
        must(file, "%s", path);
        size_t size = fread(content, 1, sizeof content, file);
        (void) fclose(file);
        must(size < sizeof content && (size == 0 || content[size - 1] == '\n'), "whole records, %zu bytes", size);
        for (size_t at = 0; at < size;) {
                size_t n = (size_t) ((const char *) memchr(content + at, '\n', size - at) - (content + at));
                if (driver == PLAN_LOG_CRI)
                        read_cri(content + at, n);
                else
                        read_json(content + at, n);
                at += n + 1;
        }
}

static void remove_files(void) {
        (void) unlink("log");
        (void) unlink("log.1");
        (void) unlink("log.2");
}

/* Pieces: stream and kind in one byte, then a size and bytes, or one byte that is repeated. */
static size_t piece(struct fuzz_input *input, uint8_t kind, uint8_t *buffer, size_t room) {
        size_t size = kind & 2 ? fuzz_u16(input) : fuzz_u8(input);
        size = size < room ? size : room;
        if (kind & 2) {
                memset(buffer, fuzz_u8(input), size);
                return size;
        }
        for (size_t i = 0; i < size; i++)
                buffer[i] = fuzz_u8(input);
        return size;
}

/* Of each stream the log tells what was written, all of it or, when it was rotated away, the end of it; in both formats. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static uint8_t written[LOG_STREAMS][OUTPUT_MAX];
        static struct log log;
        size_t n[LOG_STREAMS] = {0};
        struct fuzz_input input = {.at = data, .left = size};
        uint8_t shape = fuzz_u8(&input);
        enum plan_log driver = shape & 1 ? PLAN_LOG_CRI : PLAN_LOG_JSON_FILE;
        bool rotated = shape & 2;
        struct keeper_plan keeper = {.log = driver,
                                     .log_path = "log",
                                     .log_max_bytes = rotated ? 8192U + fuzz_u16(&input) : 0,
                                     .log_max_files = 3,
                                     .log_line_max = PLAN_LOG_LINE_MAX};
        char path[4096];
        struct berth_error err = {0};

        must(getcwd(path, sizeof path - 5), "the working directory");
        strcat(path, "/log");
        keeper.log_path = path;
        remove_files();
        must(log_open(&log, &keeper, &err) == 0, "%s", err.text);
        while (input.left > 0) {
                uint8_t kind = fuzz_u8(&input);
                enum log_stream stream = kind & 1;
                size_t part = piece(&input, kind, written[stream] + n[stream], OUTPUT_MAX - n[stream]);
                log_write(&log, stream, written[stream] + n[stream], part);
                n[stream] += part;
        }
        for (enum log_stream stream = LOG_STDOUT; stream < LOG_STREAMS; stream++) {
                log_end(&log, stream);
                expected[stream].size = found[stream].size = 0;
                expect_stream(stream, driver, written[stream], n[stream], PLAN_LOG_LINE_MAX);
        }
        must(log.failure == 0, "writing failed with %d", log.failure);
        log_close(&log);
        for (const char *const *name = (const char *const[]){"log.2", "log.1", "log", NULL}; *name; name++)
                if (access(*name, F_OK) == 0)
                        read_file(*name, driver);
        for (enum log_stream stream = LOG_STDOUT; stream < LOG_STREAMS; stream++) {
                const struct output *want = &expected[stream], *got = &found[stream];
                must(got->size == want->size || (rotated && got->size < want->size), "stream %d: %zu of %zu bytes", stream, got->size, want->size);
                must(memcmp(got->bytes, want->bytes + want->size - got->size, got->size) == 0, "stream %d says something else", stream);
        }
        remove_files();
        return 0;
}
