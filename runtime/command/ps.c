/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup-stats.h"
#include "cleanup.h"
#include "state-file.h"

#define PS_PIDS_FIRST 1024
#define PS_LINE_MAX 65536

struct ps_pids {
        pid_t *all; /* ascending */
        size_t n;
};

/* The group may grow while it is read; then again with more room. */
static int ps_read(const struct state *state, struct ps_pids *ret, struct berth_error *err) {
        struct cgroup_layout layout = {0};
        struct cgroup cgroup;
        size_t capacity = PS_PIDS_FIRST;

        int r = state_cgroup(state, &layout, &cgroup, err);
        while (r == 0) {
                _cleanup_free_ pid_t *pids = calloc(capacity, sizeof *pids);
                if (!pids)
                        return berth_error_set(err, ENOMEM, "memory for %zu pids", capacity);
                r = cgroup_processes(&layout, &cgroup, pids, capacity, &ret->n, err);
                if (r == 0 && ret->n <= capacity) {
                        ret->all = pids;
                        pids = NULL;
                        return 0;
                }
                capacity = ret->n + PS_PIDS_FIRST;
        }
        if (r == -ENOENT) { /* gone with the container */
                *ret = (struct ps_pids){0};
                return 0;
        }
        return r;
}

static bool ps_has(const struct ps_pids *pids, long pid) {
        for (size_t i = 0; i < pids->n; i++)
                if (pids->all[i] == pid)
                        return true;
        return false;
}

static int ps_print_json(const struct ps_pids *pids, struct berth_error *err) {
        json_t *list = json_array();

        for (size_t i = 0; i < pids->n; i++)
                (void) json_array_append_new(list, json_integer(pids->all[i]));
        int r = command_print(list, JSON_COMPACT, err);
        json_decref(list);
        return r;
}

/* Which word of the title is PID; -1: none. */
static int ps_column(const char *title) {
        int column = 0;

        for (title += strspn(title, " "); *title && *title != '\n'; column++) {
                size_t size = strcspn(title, " \n");
                if (size == 3 && memcmp(title, "PID", 3) == 0)
                        return column;
                title += size;
                title += strspn(title, " ");
        }
        return -1;
}

static long ps_number(const char *line, int column) {
        for (line += strspn(line, " "); column > 0; column--) {
                line += strcspn(line, " \n");
                line += strspn(line, " ");
        }
        return strtol(line, NULL, 10);
}

/* The host's ps, all lines of which are dropped but the title and those of the container's processes. */
static int ps_filter(FILE *stream, const struct ps_pids *pids, struct berth_error *err) {
        _cleanup_free_ char *line = malloc(PS_LINE_MAX);
        int column = -1;

        if (!line)
                return berth_error_set(err, ENOMEM, "memory for a line of ps");
        for (bool title = true; fgets(line, PS_LINE_MAX, stream); title = false) {
                if (title && (column = ps_column(line)) < 0)
                        return berth_error_set(err, EINVAL, "ps: the options of ps leave out the column PID");
                if (title || ps_has(pids, ps_number(line, column)))
                        (void) fputs(line, stdout);
        }
        return 0;
}

static _Noreturn void ps_child(int output, char **argv) {
        if (dup2(output, STDOUT_FILENO) >= 0)
                (void) execvp(argv[0], argv);
        _exit(127);
}

static int ps_print_table(const struct ps_pids *pids, int n, char **options, struct berth_error *err) {
        _cleanup_free_ char **argv = calloc((size_t) n + 3, sizeof *argv);
        int pipes[2], status = 0;

        if (!argv)
                return berth_error_set(err, ENOMEM, "memory for the options of ps");
        argv[0] = (char[]){"ps"};
        argv[1] = (char[]){"-ef"};
        for (int i = 0; i < n; i++)
                argv[i + 1] = options[i];
        if (pipe2(pipes, O_CLOEXEC) < 0)
                return berth_error_set(err, errno, "make a pipe for ps");
        pid_t pid = fork();
        if (pid == 0)
                ps_child(pipes[1], argv);
        (void) close(pipes[1]);
        FILE *stream = fdopen(pipes[0], "r");
        int r = pid < 0 || !stream ? berth_error_set(err, errno, "run ps") : ps_filter(stream, pids, err);
        if (stream)
                (void) fclose(stream);
        if (pid > 0)
                (void) waitpid(pid, &status, 0);
        if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
                r = berth_error_set(err, EINVAL,
                                    WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "ps: the host has no ps; use --format json"
                                                                                    : "ps: the host's ps has failed");
        return r;
}

int command_ps(const struct command *command, int argc, char **argv, struct berth_error *err) {
        const char *format = "table";
        const struct option options[] = {{"format", 'f', OPTION_TEXT, &format, "table or json", "FORMAT"}};
        const struct syntax syntax = {
                .verb = "ps", .arguments = "ID [OPTION OF PS]...", .options = options, .n = 1, .in_order = true, .min = 1, .max = -1};
        _cleanup_state_ struct state state = {0};
        struct ps_pids pids = {0};
        struct arguments arguments;

        int r = options_parse(&syntax, argc, argv, &arguments, err);
        if (r != 0)
                return command_parsed(r);
        bool json = strcmp(format, "json") == 0;
        if (!json && strcmp(format, "table") != 0)
                r = berth_error_set(err, EINVAL, "ps: invalid format option '%s'; table and json are known", format);
        if (r == 0)
                r = state_look(command, arguments.words[0], &state, err);
        if (r == 0)
                r = ps_read(&state, &pids, err);
        if (r == 0)
                r = json ? ps_print_json(&pids, err) : ps_print_table(&pids, arguments.n - 1, arguments.words + 1, err);
        free(pids.all);
        return r < 0 ? 1 : 0;
}
