/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "log-record.h"
#include "log.h"

/* argv: an empty directory */

static void check_record(const char *line, size_t size, bool newline, const char *expected) {
        char record[LOG_RECORD_MAX(64)];
        char *end = log_record_write(record, (const uint8_t *) line, size, newline, "stdout", "T");
        char whole[LOG_RECORD_MAX(64)];
        (void) snprintf(whole, sizeof(whole), "{\"log\":\"%s\",\"stream\":\"stdout\",\"time\":\"T\"}\n", expected);
        *end = '\0';
        if (strcmp(record, whole) != 0) {
                (void) fprintf(stderr, "got      %sexpected %s", record, whole);
                exit(1);
        }
}

#define RECORD(line, newline, expected) check_record(line, sizeof(line) - 1, newline, expected)

static void test_records(void) {
        RECORD("", true, "\\n");
        RECORD("plain text", true, "plain text\\n");
        RECORD("no end", false, "no end");
        RECORD("\"\\/", false, "\\\"\\\\/");
        RECORD("<a>&", false, "\\u003ca\\u003e\\u0026");
        RECORD("\t\r\b\033[0m\x7f", false, "\\u0009\\r\\u0008\\u001b[0m\x7f");
        RECORD("\0", false, "\\u0000");
        RECORD("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xa2", false, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xa2");
        RECORD("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", false, "\\u2028\\u2029\xe2\x80\xaa");
        RECORD("\xff\xfe", false, "\\ufffd\\ufffd");
        RECORD("a\xc3", false, "a\\ufffd");
        RECORD("\xc0\x80", false, "\\ufffd\\ufffd");
        RECORD("\xe0\x80\x80", false, "\\ufffd\\ufffd\\ufffd");
        RECORD("\xed\xa0\x80", false, "\\ufffd\\ufffd\\ufffd");
        RECORD("\xf4\x90\x80\x80", false, "\\ufffd\\ufffd\\ufffd\\ufffd");
        RECORD("\xe2\x82z", false, "\\ufffd\\ufffdz");
}

static size_t slurp(const char *path, char *ret, size_t capacity) {
        FILE *stream = fopen(path, "re");
        check(stream);
        size_t size = fread(ret, 1, capacity - 1, stream);
        (void) fclose(stream);
        ret[size] = '\0';
        return size;
}

static unsigned count(const char *text, const char *part) {
        unsigned n = 0;
        for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
                n++;
        return n;
}

static struct log shared_log;

static struct log *open_log(const char *directory, const char *name, uint64_t max_bytes, uint32_t max_files, char *ret_path, size_t capacity) {
        (void) snprintf(ret_path, capacity, "%s/%s", directory, name);
        struct keeper_plan keeper = {.log = PLAN_LOG_JSON_FILE, .log_path = ret_path, .log_max_bytes = max_bytes, .log_max_files = max_files};
        struct berth_error err;
        shared_log = (struct log){.fd = -1};
        check(log_open(&shared_log, &keeper, &err) == 0);
        return &shared_log;
}

static void put(struct log *log, enum log_stream stream, const char *text) {
        log_write(log, stream, (const uint8_t *) text, strlen(text));
}

static void test_lines_over_chunks(const char *directory) {
        static char content[4096];
        char path[512];
        struct log *log = open_log(directory, "chunks", 0, 1, path, sizeof(path));
        put(log, LOG_STDOUT, "a\nb");
        put(log, LOG_STDERR, "error\n");
        put(log, LOG_STDOUT, "c");
        put(log, LOG_STDOUT, "d\n\nlast");
        log_end(log, LOG_STDOUT);
        log_end(log, LOG_STDERR);
        log_close(log);
        (void) slurp(path, content, sizeof(content));
        const char *order[] = {"{\"log\":\"a\\n\",\"stream\":\"stdout\"", "{\"log\":\"error\\n\",\"stream\":\"stderr\"", "{\"log\":\"bcd\\n\"",
                               "{\"log\":\"\\n\"", "{\"log\":\"last\",\"stream\":\"stdout\",\"time\":\"2"};
        const char *at = content;
        for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
                at = strstr(at, order[i]);
                check(at);
        }
        check(count(content, "\n") == 5);
}

static void test_long_lines(const char *directory) {
        static char content[1 << 19], line[2 * LOG_LINE_MAX + 11];
        char path[512];
        struct log *log = open_log(directory, "long", 0, 1, path, sizeof(path));
        memset(line, 'x', sizeof(line));
        line[sizeof(line) - 1] = '\n';
        for (size_t at = 0; at < sizeof(line);) { /* in pieces that do not fit the cuts */
                size_t part = sizeof(line) - at < 5000 ? sizeof(line) - at : 5000;
                log_write(log, LOG_STDOUT, (const uint8_t *) line + at, part);
                at += part;
        }
        log_write(log, LOG_STDOUT, (const uint8_t *) line, sizeof(line));
        memset(line, 'y', LOG_LINE_MAX);
        line[LOG_LINE_MAX] = '\n';
        log_write(log, LOG_STDOUT, (const uint8_t *) line, LOG_LINE_MAX + 1);
        log_close(log);
        (void) slurp(path, content, sizeof(content));
        check(count(content, "{\"log\":\"xxxx") == 6);
        check(count(content, "{\"log\":\"xxxxxxxxxx\\n\"") == 2);
        check(count(content, "x\",\"stream\"") == 4); /* cut: no newline */
        check(count(content, "y\",\"stream\"") == 1);
        check(count(content, "{\"log\":\"\\n\",\"stream\"") == 1); /* what Docker writes for a line of exactly 16 KiB */
}

/* Readers halve a file by its times: they must not go back in it. */
static void test_clock_steps(const char *directory) {
        static char content[4096];
        char path[512], older[520];
        struct log *log = open_log(directory, "steps", 0, 1, path, sizeof(path));
        put(log, LOG_STDOUT, "first\n");
        log->last += 500000000;
        put(log, LOG_STDOUT, "a little later\n");
        for (unsigned i = 1; i <= 2; i++) {
                log->last += 3600000000000;
                put(log, LOG_STDOUT, "an hour earlier\n");
                (void) slurp(path, content, sizeof(content));
                check(count(content, "{\"log\"") == 1 && strstr(content, "an hour earlier"));
        }
        put(log, LOG_STDOUT, "after\n");
        log_close(log);
        (void) slurp(path, content, sizeof(content));
        check(count(content, "{\"log\"") == 2 && strstr(content, "after"));
        (void) snprintf(older, sizeof(older), "%s.1", path);
        (void) slurp(older, content, sizeof(content));
        check(count(content, "{\"log\"") == 1 && strstr(content, "an hour earlier"));
        (void) snprintf(older, sizeof(older), "%s.2", path);
        (void) slurp(older, content, sizeof(content));
        check(count(content, "{\"log\"") == 2 && strstr(content, "a little later"));

        /* The time of the log that is there counts too; one file is one file again at the next rotation. */
        struct timespec ahead[2] = {{.tv_sec = time(NULL) + 3600}, {.tv_sec = time(NULL) + 3600}};
        check(utimensat(AT_FDCWD, path, ahead, 0) == 0);
        log = open_log(directory, "steps", 40, 1, path, sizeof(path));
        put(log, LOG_STDOUT, "opened again\n");
        (void) snprintf(older, sizeof(older), "%s.1", path);
        (void) slurp(older, content, sizeof(content));
        check(strstr(content, "after"));
        put(log, LOG_STDOUT, "rotated\n");
        check(access(older, F_OK) < 0 && errno == ENOENT);
        log_close(log);
        (void) slurp(path, content, sizeof(content));
        check(count(content, "{\"log\"") == 1 && strstr(content, "rotated"));
}

static size_t strip_times(char *text) {
        char *to = text;
        for (const char *at = text; *at;) {
                if (strncmp(at, "\"time\":\"", 8) == 0)
                        at = strchr(at, '\n');
                *to++ = *at++;
        }
        *to = '\0';
        return (size_t) (to - text);
}

/* The records do not depend on how the output arrives. */
static void test_any_chunks(const char *directory) {
        static char whole[1 << 20], cut[1 << 20];
        static uint8_t output[150000];
        char path[512];
        unsigned seed = 7;
        for (size_t i = 0; i < sizeof(output); i++)
                output[i] = i > 60000 && i < 120000 ? 'x' : rand_r(&seed) % 60 == 0 ? '\n' : (uint8_t) rand_r(&seed);
        struct log *log = open_log(directory, "whole", 0, 1, path, sizeof(path));
        log_write(log, LOG_STDOUT, output, sizeof(output));
        log_end(log, LOG_STDOUT);
        log_close(log);
        (void) slurp(path, whole, sizeof(whole));

        log = open_log(directory, "cut", 0, 1, path, sizeof(path));
        for (size_t at = 0; at < sizeof(output);) {
                size_t part = (size_t) rand_r(&seed) % 20000;
                part = part > sizeof(output) - at ? sizeof(output) - at : part;
                log_write(log, LOG_STDOUT, output + at, part);
                at += part;
        }
        log_end(log, LOG_STDOUT);
        log_close(log);
        (void) slurp(path, cut, sizeof(cut));
        check(strip_times(whole) == strip_times(cut) && strcmp(whole, cut) == 0);
}

static void test_rotation(const char *directory) {
        static char content[1 << 16];
        char path[512], older[520], name[530];
        struct stat status;
        struct log *log = open_log(directory, "rotated", 1000, 3, path, sizeof(path));
        for (unsigned i = 0; i < 100; i++) {
                char line[64];
                (void) snprintf(line, sizeof(line), "line %u\n", i);
                put(log, LOG_STDOUT, line);
        }
        (void) slurp(path, content, sizeof(content));
        check(strstr(content, "line 99\\n"));
        (void) snprintf(older, sizeof(older), "%s.1", path);
        size_t size = slurp(older, content, sizeof(content));
        check(size >= 1000 && size < 1200 && content[size - 1] == '\n');
        (void) snprintf(older, sizeof(older), "%s.2", path);
        check(stat(older, &status) == 0);
        (void) snprintf(name, sizeof(name), "%s.3", path);
        check(stat(name, &status) < 0);

        /* Somebody else rotates: the new file is found by its name. */
        (void) snprintf(name, sizeof(name), "%s.moved", path);
        check(rename(path, name) == 0);
        struct berth_error err;
        check(log_reopen(log, &err) == 0);
        put(log, LOG_STDOUT, "after\n");
        log_close(log);
        (void) slurp(path, content, sizeof(content));
        check(count(content, "\n") == 1 && strstr(content, "after"));
}

static void test_one_file(const char *directory) {
        static char content[1 << 16];
        char path[512], older[520];
        struct stat status;
        struct log *log = open_log(directory, "one", 500, 1, path, sizeof(path));
        for (unsigned i = 0; i < 50; i++)
                put(log, LOG_STDOUT, "again and again\n");
        log_close(log);
        check(slurp(path, content, sizeof(content)) < 700);
        (void) snprintf(older, sizeof(older), "%s.1", path);
        check(stat(older, &status) < 0);
}

static void test_full_disk(const char *directory) {
        static char content[4096];
        char path[512];
        struct log *log = open_log(directory, "full", 0, 1, path, sizeof(path));
        put(log, LOG_STDOUT, "before\n");
        int file = log->fd;
        log->fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        check(log->fd >= 0);
        put(log, LOG_STDOUT, "lost\n");
        check(log->failure == ENOSPC && log->used == 0);
        (void) close(log->fd);
        log->fd = file;
        put(log, LOG_STDOUT, "after\n");
        check(log->failure == 0);
        log_close(log);
        (void) slurp(path, content, sizeof(content));
        check(count(content, "\n") == 2 && strstr(content, "before") && strstr(content, "after"));
}

static void test_link(const char *directory) {
        char path[512];
        (void) snprintf(path, sizeof(path), "%s/link", directory);
        check(symlink("/etc/passwd", path) == 0);
        struct keeper_plan keeper = {.log = PLAN_LOG_JSON_FILE, .log_path = path, .log_max_files = 1};
        struct berth_error err;
        check(log_open(&shared_log, &keeper, &err) < 0);
}

static void check_time(uint64_t nanoseconds, const char *expected) {
        char text[TIMESTAMP_MAX];
        timestamp_format(nanoseconds, text);
        check(strcmp(text, expected) == 0);
}

static void test_times(void) {
        check_time(0, "1970-01-01T00:00:00Z");
        check_time(951782400000000000ULL, "2000-02-29T00:00:00Z");
        check_time(1795320306123456789ULL, "2026-11-22T04:05:06.123456789Z");
        check_time(1795320306120000000ULL, "2026-11-22T04:05:06.12Z");
}

int main(int argc, char **argv) {
        check(argc == 2);
        test_records();
        test_lines_over_chunks(argv[1]);
        test_long_lines(argv[1]);
        test_any_chunks(argv[1]);
        test_rotation(argv[1]);
        test_one_file(argv[1]);
        test_clock_steps(argv[1]);
        test_full_disk(argv[1]);
        test_link(argv[1]);
        test_times();
        return 0;
}
