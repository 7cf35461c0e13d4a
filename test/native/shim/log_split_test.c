/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "log.h"

/*
 * argv: an empty directory. The writers beside a reader that knows only the formats: what they say of a stream must give its bytes again,
 * with its lines cut where they have to be.
 */

#define OUTPUT_MAX (3U << 20)
#define FILE_MAX (16U << 20)

static struct log shared_log;
static char content[FILE_MAX];

struct output {
        uint8_t bytes[OUTPUT_MAX];
        size_t size;
};
static struct output written[2], read_back[2];

static struct log *open_log(const char *path, enum plan_log driver, uint32_t line_max) {
        struct keeper_plan keeper = {.log = driver, .log_path = path, .log_max_files = 1, .log_line_max = line_max};
        struct berth_error err;
        check(log_open(&shared_log, &keeper, &err) == 0);
        return &shared_log;
}

static size_t slurp(const char *path) {
        FILE *stream = fopen(path, "re");
        check(stream);
        size_t size = fread(content, 1, sizeof(content) - 1, stream);
        check(size < sizeof(content) - 1);
        (void) fclose(stream);
        content[size] = '\0';
        return size;
}

static void append(struct output *output, const char *bytes, size_t size) {
        check(output->size + size <= sizeof(output->bytes));
        memcpy(output->bytes + output->size, bytes, size);
        output->size += size;
}

/* One record "TIME STREAM F|P BYTES"; answers the bytes of output in it. */
static size_t read_cri(const char *line, size_t size) {
        const char *stream = memchr(line, ' ', size);
        check(stream && stream[-1] == 'Z' && (strncmp(stream, " stdout ", 8) == 0 || strncmp(stream, " stderr ", 8) == 0));
        const char *tag = stream + 8, *text = tag + 2;
        check((*tag == 'F' || *tag == 'P') && tag[1] == ' ' && text <= line + size);
        struct output *output = &read_back[strncmp(stream, " stdout", 7) != 0];
        size_t n = (size_t) (line + size - text);
        append(output, text, n);
        if (*tag == 'F')
                append(output, "\n", 1);
        return n;
}

/* One record {"log":"…","stream":…}; the output of these tests needs no escape but the newline's. */
static size_t read_json(const char *line, size_t size) {
        check(size > 8 && strncmp(line, "{\"log\":\"", 8) == 0);
        const char *text = line + 8, *end = memchr(text, '"', size - 8);
        check(end && strncmp(end, "\",\"stream\":\"std", 15) == 0);
        struct output *output = &read_back[end[15] != 'o'];
        size_t n = (size_t) (end - text);
        bool newline = n >= 2 && strncmp(end - 2, "\\n", 2) == 0;
        n -= newline ? 2 : 0;
        append(output, text, n);
        if (newline)
                append(output, "\n", 1);
        return n;
}

static void check_same(const char *path, enum plan_log driver, uint32_t line_max) {
        size_t size = slurp(path);
        read_back[0].size = read_back[1].size = 0;
        for (size_t at = 0; at < size;) {
                const char *end = memchr(content + at, '\n', size - at);
                check(end);
                size_t line = (size_t) (end - content) - at;
                size_t n = driver == PLAN_LOG_CRI ? read_cri(content + at, line) : read_json(content + at, line);
                check(n <= line_max);
                at += line + 1;
        }
        for (unsigned i = 0; i < 2; i++)
                check(read_back[i].size == written[i].size && memcmp(read_back[i].bytes, written[i].bytes, written[i].size) == 0);
}

/* What a line of that many bytes becomes where lines are cut at `line_max`. */
static unsigned records_of(size_t size, uint32_t line_max) {
        return (unsigned) (size / line_max + 1);
}

/* Lines of every size, more of them near the limits. */
static void make_output(struct output *output, size_t size, unsigned *seed) {
        static const unsigned around[] = {1, 80, 16384, 65536, 200000};
        output->size = 0;
        while (output->size < size) {
                unsigned near = around[(unsigned) rand_r(seed) % 5];
                size_t line = near == 80 ? (unsigned) rand_r(seed) % 160 : near - 1 + (unsigned) rand_r(seed) % 3;
                line = line > size - output->size ? size - output->size : line;
                for (size_t i = 0; i < line; i++)
                        output->bytes[output->size + i] = (uint8_t) ('a' + (output->size + i) % 26);
                output->size += line;
                if (output->size < size)
                        output->bytes[output->size++] = '\n';
        }
}

static void write_mixed(struct log *log, unsigned *seed, size_t chunk_max) {
        size_t at[2] = {0, 0};
        while (at[0] < written[0].size || at[1] < written[1].size) {
                unsigned i = (unsigned) rand_r(seed) % 2;
                size_t left = written[i].size - at[i], part = 1 + (unsigned) rand_r(seed) % chunk_max;
                part = part > left ? left : part;
                log_write(log, (enum log_stream) i, written[i].bytes + at[i], part);
                at[i] += part;
        }
        log_end(log, LOG_STDOUT);
        log_end(log, LOG_STDERR);
        log_close(log);
}

static void test_round_trips(const char *directory) {
        static const uint32_t limits[] = {1, 7, 100, 16383, 16384, 16385, 40000, 1 << 20};
        static const size_t chunks[] = {3, 4096, 65536, 300000};
        char path[512];
        unsigned n = 0;
        for (unsigned seed = 1; seed <= 6; seed++)
                for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
                        unsigned state = seed * 100 + i;
                        size_t chunk = chunks[seed % 4], size = limits[i] < 100 || chunk < 100 ? 20000 : 900000;
                        make_output(&written[0], size, &state);
                        make_output(&written[1], size / 2, &state);
                        (void) snprintf(path, sizeof(path), "%s/mixed-%u", directory, n++);
                        write_mixed(open_log(path, PLAN_LOG_CRI, limits[i]), &state, chunk);
                        check_same(path, PLAN_LOG_CRI, limits[i]);
                        check(unlink(path) == 0);
                        if (limits[i] != 16384)
                                continue;
                        write_mixed(open_log(path, PLAN_LOG_JSON_FILE, limits[i]), &state, chunk);
                        check_same(path, PLAN_LOG_JSON_FILE, limits[i]);
                        check(unlink(path) == 0);
                }
}

/* A stream alone has no more records than its limit demands, and one that is long enough no fewer bytes in them. */
static void test_cuts(const char *directory) {
        static const uint32_t limits[] = {10, 16384, 16385, 100000, 1 << 20};
        char path[512];
        for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
                (void) snprintf(path, sizeof(path), "%s/cuts-%u", directory, i);
                struct log *log = open_log(path, PLAN_LOG_CRI, limits[i]);
                size_t line = 2 * (size_t) limits[i] + 5;
                memset(written[0].bytes, 'x', line);
                written[0].bytes[line] = '\n';
                written[0].size = line + 1;
                written[1].size = 0;
                for (size_t at = 0; at < written[0].size; at += 50000)
                        log_write(log, LOG_STDOUT, written[0].bytes + at, written[0].size - at < 50000 ? written[0].size - at : 50000);
                log_close(log);
                check_same(path, PLAN_LOG_CRI, limits[i]);
                unsigned n = 0;
                for (const char *at = strchr(content, '\n'); at; at = strchr(at + 1, '\n'))
                        n++;
                check(n == records_of(line, limits[i]));
                const char *first = strstr(content, " P ");
                check(first && strspn(first + 3, "x") == limits[i]);
        }
}

/* The other stream, and a new file, end a record that stands open: as a part. */
static void test_interrupted(const char *directory) {
        static uint8_t line[40000];
        char path[512], moved[520];
        memset(line, 'a', sizeof(line));
        (void) snprintf(path, sizeof(path), "%s/interrupted", directory);
        (void) snprintf(moved, sizeof(moved), "%s.moved", path);
        struct log *log = open_log(path, PLAN_LOG_CRI, 1 << 20);
        log_write(log, LOG_STDOUT, line, sizeof(line));
        log_write(log, LOG_STDERR, (const uint8_t *) "b\n", 2);
        log_write(log, LOG_STDOUT, line, sizeof(line));
        check(rename(path, moved) == 0);
        struct berth_error err;
        check(log_reopen(log, &err) == 0);
        log_write(log, LOG_STDOUT, (const uint8_t *) "c\n", 2);
        log_close(log);
        (void) slurp(path);
        check(strstr(content, " stdout F c\n"));
        size_t size = slurp(moved);
        const char *first = strstr(content, " stdout P a"), *second = strstr(content, " stderr F b\n");
        check(first && second && first < second && strstr(second, " stdout P a") && content[size - 1] == '\n');
}

/* A link in the place of the file is not followed, also when its directory is named through one by now. */
static void test_links(const char *directory) {
        char inside[512], path[520], elsewhere[520], moved[520], target[530];
        struct stat status;
        (void) snprintf(inside, sizeof(inside), "%s/inside", directory);
        (void) snprintf(moved, sizeof(moved), "%s/moved", directory);
        (void) snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", directory);
        check(mkdir(inside, 0700) == 0 && mkdir(elsewhere, 0700) == 0);
        (void) snprintf(path, sizeof(path), "%s/log", inside);
        struct log *log = open_log(path, PLAN_LOG_CRI, 100);
        check(rename(inside, moved) == 0 && symlink(elsewhere, inside) == 0);
        struct berth_error err;
        (void) snprintf(target, sizeof(target), "%s/log", moved);
        check(unlink(target) == 0 && log_reopen(log, &err) == 0);
        log_write(log, LOG_STDOUT, (const uint8_t *) "here\n", 5);
        (void) slurp(target);
        check(strstr(content, " stdout F here\n"));
        check(unlink(target) == 0 && symlink("/etc/passwd", target) == 0 && log_reopen(log, &err) < 0 && err.code == ELOOP);
        (void) snprintf(target, sizeof(target), "%s/log", elsewhere);
        check(stat(target, &status) < 0 && errno == ENOENT);
        log_close(log);
}

/* Where no more room is, whole records stand in the file and nothing else, also when one of them was open already. */
static void test_full(const char *directory) {
        static uint8_t line[50000];
        char path[512];
        const struct rlimit small = {.rlim_cur = 60000, .rlim_max = RLIM_INFINITY};
        const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        memset(line, 'a', sizeof(line));
        (void) signal(SIGXFSZ, SIG_IGN);
        (void) snprintf(path, sizeof(path), "%s/full", directory);
        struct log *log = open_log(path, PLAN_LOG_CRI, 1 << 20);
        log_write(log, LOG_STDERR, (const uint8_t *) "before\n", 7);
        log_write(log, LOG_STDOUT, line, sizeof(line));
        check(setrlimit(RLIMIT_FSIZE, &small) == 0);
        log_write(log, LOG_STDOUT, line, sizeof(line));
        check(log->failure == EFBIG);
        size_t size = slurp(path);
        check(content[size - 1] == '\n' && strstr(content, " stderr F before\n") && !strchr(content, 'P'));
        check(setrlimit(RLIMIT_FSIZE, &none) == 0);
        log_write(log, LOG_STDOUT, (const uint8_t *) "z\n", 2);
        check(log->failure == 0);
        log_close(log);
        (void) slurp(path);
        check(strstr(content, " stdout F z\n"));
}

int main(int argc, char **argv) {
        check(argc == 2);
        test_round_trips(argv[1]);
        test_cuts(argv[1]);
        test_interrupted(argv[1]);
        test_links(argv[1]);
        test_full(argv[1]);
        return 0;
}
