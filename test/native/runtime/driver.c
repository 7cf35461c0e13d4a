/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "container.h"
#include "plan-compile.h"
#include "seccomp-compile.h"
#include "sys.h"

/*
 * Runs a container, and processes added to it, as the shim does:
 *   driver CONFIG KEEPER SECCOMP|- [EXEC[:CGROUP]…]
 * Standard output and error are the container's (a terminal's output is copied to standard output); what happened is told on
 * descriptor 3, a line each (with PRESERVE=n in the environment the n behind it go to the processes as 3, 4, …): "create ERRNO TEXT", "start …", "pid
 * N", "exec I …", "exec I exited CODE", "exited CODE", "released ERRNO TEXT".
 */

struct driver {
        struct container container;
        FILE *report;
        const void *filter;
        size_t filter_size;
        unsigned n_preserved;
};

static char *driver_read(const char *path, size_t *ret_size) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0)
                return NULL;
        char *text = malloc((size_t) st.st_size + 1);
        ssize_t n = text ? read(fd, text, (size_t) st.st_size) : -1;
        if (n != st.st_size)
                return NULL;
        *ret_size = (size_t) n;
        return text;
}

static void driver_copy(int console) {
        char bytes[4096];
        ssize_t n;
        while ((n = read(console, bytes, sizeof bytes)) > 0)
                if (write(STDOUT_FILENO, bytes, (size_t) n) != n)
                        return;
}

static int driver_wait(struct process *process) {
        int status = 0;
        if (process->console >= 0)
                driver_copy(process->console);
        while (waitpid(process->pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct plan *driver_plan(struct driver *driver, const char *config, const char *keeper, const char *step) {
        struct plan_sources sources = {.filter = driver->filter,
                                       .filter_size = driver->filter_size,
                                       .preserved_fds = driver->n_preserved,
                                       .no_pivot = getenv("NO_PIVOT") != NULL};
        struct berth_error err = {0};
        struct plan *plan = NULL;
        _cleanup_close_ int fd = -1;

        sources.config = driver_read(config, &sources.config_size);
        if (keeper)
                sources.keeper = driver_read(keeper, &sources.keeper_size);
        int r = plan_compile(&sources, &fd, &err);
        if (r == 0)
                r = plan_open(fd, &plan, &err);
        if (r < 0)
                fprintf(driver->report, "%s %d %s\n", step, err.code, err.text);
        free((void *) (uintptr_t) sources.config);
        free((void *) (uintptr_t) sources.keeper);
        return r < 0 ? NULL : plan;
}

static void driver_exec(struct driver *driver, int index, char *path) {
        char *colon = strchr(path, ':');
        const struct exec_options options = {.cgroup = colon ? colon + 1 : NULL};
        const struct process_io io = {-1, STDOUT_FILENO, STDERR_FILENO};
        struct process process = PROCESS_NONE;
        struct berth_error err = {0};
        char step[32];

        if (colon)
                *colon = '\0';
        (void) snprintf(step, sizeof step, "exec %d", index);
        struct plan *plan = driver_plan(driver, path, NULL, step);
        if (!plan)
                return;
        int r = container_exec(&driver->container, plan, &options, &io, &process, &err);
        if (r == 0)
                r = process_start(&process, &err);
        if (r < 0) {
                fprintf(driver->report, "%s %d %s\n", step, err.code, err.text);
        } else {
                fprintf(driver->report, "%s exited %d\n", step, driver_wait(&process));
                process_close(&process);
        }
        plan_close(plan);
}

/* A creation that fails leaves no child, living or dead. */
static void driver_tell_children(const struct driver *driver) {
        siginfo_t info = {0};

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
                fprintf(driver->report, "children %d %d of a creation that failed\n", EBUSY, info.si_pid);
}

static double driver_milliseconds(clockid_t clock) {
        struct timespec now;
        (void) clock_gettime(clock, &now);
        return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

/* The report moves out of the way of what is preserved. */
static FILE *driver_open_report(unsigned n_preserved) {
        int fd = fcntl(3, F_DUPFD_CLOEXEC, 64);

        if (fd < 0)
                return NULL;
        (void) close(3);
        for (int i = 3; i < 3 + (int) n_preserved; i++)
                if (dup2(i + 1, i) == i)
                        (void) close(i + 1);
        return fdopen(fd, "w");
}

int main(int argc, char **argv) {
        const char *preserve = getenv("PRESERVE");
        struct driver driver = {.container = CONTAINER_NONE, .n_preserved = preserve ? (unsigned) atoi(preserve) : 0};
        const struct process_io io = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
        static unsigned char filter[64 << 10];
        struct berth_error err = {0};
        size_t size;

        driver.report = driver_open_report(driver.n_preserved);
        if (argc < 4 || !driver.report)
                return 2;
        setlinebuf(driver.report);
        if (strcmp(argv[3], "-") != 0) {
                char *profile = driver_read(argv[3], &size);
                if (!profile || seccomp_compile(profile, size, filter, sizeof filter, &driver.filter_size, &err) < 0) {
                        fprintf(driver.report, "seccomp %d %s\n", err.code, err.text);
                        return 1;
                }
                driver.filter = filter;
        }
        struct plan *plan = driver_plan(&driver, argv[1], argv[2], "plan");
        if (!plan)
                return 1;

        double began = driver_milliseconds(CLOCK_MONOTONIC);
        int r = container_create(&driver.container, plan, &io, &err);
        if (r < 0) {
                fprintf(driver.report, "create %d %s\n", err.code, err.text);
                driver_tell_children(&driver);
                return 1;
        }
        double created = driver_milliseconds(CLOCK_MONOTONIC);
        fprintf(driver.report, "pid %d\n", driver.container.init.pid);
        r = container_start(&driver.container, &err);
        if (r < 0)
                fprintf(driver.report, "start %d %s\n", err.code, err.text);
        fprintf(driver.report, "created in %.3f ms, started in %.3f ms\n", created - began, driver_milliseconds(CLOCK_MONOTONIC) - created);
        for (int i = 4; r == 0 && i < argc; i++)
                driver_exec(&driver, i - 4, argv[i]);
        if (r == 0)
                fprintf(driver.report, "exited %d\n", driver_wait(&driver.container.init));
        r = container_release(&driver.container, &err);
        fprintf(driver.report, "released %d %s\n", -r, r < 0 ? err.text : "");
        plan_close(plan);
        return 0;
}
