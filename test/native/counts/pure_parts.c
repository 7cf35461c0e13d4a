/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <jansson.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "log.h"
#include "plan-compile.h"
#include "plan.h"
#include "seccomp-compile.h"

/*
 * Does one of the parts that ask nothing of the kernel N times, for somebody who counts instructions:
 *   pure_parts PART N CONFIG KEEPER SECCOMP
 */

struct pure_parts {
        struct plan_sources sources;
        char *seccomp;
        size_t seccomp_size;
};

static char *pure_read(const char *path, size_t *ret_size) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return NULL;
        char *text = malloc((size_t) st.st_size + 1);
        if (!text || read(fd, text, (size_t) st.st_size) != st.st_size)
                return NULL;
        *ret_size = (size_t) st.st_size;
        return text;
}

static int pure_plan(const struct pure_parts *parts, struct berth_error *err) {
        _cleanup_close_ int fd = -1;
        return plan_compile(&parts->sources, &fd, err);
}

static int pure_open(const struct pure_parts *parts, struct berth_error *err) {
        static int fd = -1;
        struct plan *plan = NULL;
        int r = fd < 0 ? plan_compile(&parts->sources, &fd, err) : 0;

        if (r == 0)
                r = plan_open(dup(fd), &plan, err);
        if (r == 0)
                plan_close(plan);
        return r;
}

static int pure_seccomp(const struct pure_parts *parts, struct berth_error *err) {
        static unsigned char filter[BPF_MAXINSNS * sizeof(struct sock_filter)];
        size_t size;

        return seccomp_compile(parts->seccomp, parts->seccomp_size, filter, sizeof filter, &size, err);
}

/* A chunk as a pipe gives it, of lines of a hundred bytes. The log goes nowhere: its opening asks things that valgrind does not know. */
static int pure_log(const struct pure_parts *parts, struct berth_error *err) {
        static uint8_t chunk[64000];
        static struct log log;

        (void) parts;
        if (chunk[0] == 0) {
                memset(chunk, 'x', sizeof chunk);
                for (size_t i = 99; i < sizeof chunk; i += 100)
                        chunk[i] = '\n';
                log = (struct log){.driver = PLAN_LOG_JSON_FILE, .directory = -1, .max_files = 1, .line_max = LOG_LINE_MAX, .open = LOG_STREAMS};
                for (int i = 0; i < LOG_STREAMS; i++)
                        log.tail[i].bytes = log.lines[i];
                log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        }
        log_write(&log, LOG_STDOUT, chunk, sizeof chunk);
        return log.failure ? berth_error_set(err, log.failure, "write the log") : 0;
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                int (*run)(const struct pure_parts *parts, struct berth_error *err);
        } known[] = {{"plan-compile", pure_plan}, {"plan-open", pure_open}, {"seccomp-compile", pure_seccomp}, {"log-split", pure_log}};
        static unsigned char filter[BPF_MAXINSNS * sizeof(struct sock_filter)];
        struct pure_parts parts = {0};
        struct berth_error err = {0};

        if (argc != 6)
                return 2;
        json_object_seed(1); /* the same order of keys in every run */
        parts.sources.config = pure_read(argv[3], &parts.sources.config_size);
        parts.sources.keeper = pure_read(argv[4], &parts.sources.keeper_size);
        parts.seccomp = pure_read(argv[5], &parts.seccomp_size);
        if (!parts.sources.config || !parts.sources.keeper || !parts.seccomp)
                return 2;
        /* What stands in it is nothing to the plan. */
        parts.sources.filter = filter;
        parts.sources.filter_size = 1000 * sizeof(struct sock_filter);
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
                if (strcmp(known[i].name, argv[1]) != 0)
                        continue;
                for (int n = atoi(argv[2]); n > 0; n--)
                        if (known[i].run(&parts, &err) < 0) {
                                (void) fprintf(stderr, "%s: %s\n", argv[1], err.text);
                                return 1;
                        }
                return 0;
        }
        return 2;
}
