/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "document-memory.h"
#include "log.h"
#include "sealed-executable.h"

#define COMMAND_DEFAULT_ROOT "/run/berth-runtime"

static const struct {
        const char *name;
        command_verb run; /* NULL: known, and refused */
        const char *help;
        bool contains; /* a process of a container comes from it */
} verbs[] = {
        {"create", command_create, "make a container that waits to be started", true},
        {"delete", command_delete, "forget a container that has ended", false},
        {"events", command_events, "print what happens to a container, and its statistics", false},
        {"exec", command_exec, "run a further process in a container", true},
        {"features", command_features, "print what this runtime can do", false},
        {"kill", command_kill, "send a signal to a container's first process", false},
        {"list", command_list, "print all containers", false},
        {"pause", command_pause, "suspend all processes of a container", false},
        {"ps", command_ps, "print the processes of a container", false},
        {"resume", command_resume, "go on with a paused container", false},
        {"run", command_run, "make, start and wait for a container", true},
        {"spec", command_spec, "write a config.json to start from", false},
        {"start", command_start, "start a created container", false},
        {"state", command_state, "print the state of a container", false},
        {"update", command_update, "change the limits of a container", false},
        {"checkpoint", NULL, NULL, false},
        {"restore", NULL, NULL, false},
};
#define VERBS (sizeof verbs / sizeof *verbs)

int command_print(const json_t *value, size_t flags, struct berth_error *err) {
        if (!value)
                return berth_error_set(err, ENOMEM, "memory for the answer");
        if (json_dumpf(value, stdout, flags) < 0 || fputc('\n', stdout) == EOF || fflush(stdout) == EOF)
                return berth_error_set(err, EIO, "write the answer");
        return 0;
}

int command_id_only(const char *verb, int argc, char **argv, const char **ret_id, struct berth_error *err) {
        const struct syntax syntax = {.verb = verb, .arguments = "ID", .min = 1, .max = 1};
        struct arguments arguments;
        int r = options_parse(&syntax, argc, argv, &arguments, err);

        if (r == 0)
                *ret_id = arguments.words[0];
        return r;
}

/* Words that come with nothing that could be misunderstood: what is not meant is refused. */
static int main_check(struct command *command, const char *format, const char *manager, const char *rootless, struct berth_error *err) {
        if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
                return berth_error_set(err, EINVAL, "unknown log format '%s'; text and json are known", format);
        command->log_json = format && strcmp(format, "json") == 0;
        if (manager && strcmp(manager, "systemd") == 0)
                command->systemd_cgroup = true;
        else if (manager && strcmp(manager, "cgroupfs") != 0)
                return berth_error_set(err, EINVAL, "unknown cgroup manager '%s'; cgroupfs and systemd are known", manager);
        if (rootless && strcmp(rootless, "false") != 0 && strcmp(rootless, "auto") != 0)
                return berth_error_set(err, EINVAL, "--rootless=%s is not supported: this runtime needs root", rootless);
        if (*command->root == '\0')
                return berth_error_set(err, EINVAL, "--root needs a directory");
        return 0;
}

static int main_options(struct command *command, int argc, char **argv, struct arguments *ret, struct berth_error *err) {
        const char *format = NULL, *manager = NULL, *rootless = NULL;
        const struct option options[] = {
                {"root", 0, OPTION_TEXT, &command->root, "where states are kept (" COMMAND_DEFAULT_ROOT ")", "DIRECTORY"},
                {"log", 0, OPTION_TEXT, &command->log, "where errors are also written", "FILE"},
                {"log-format", 0, OPTION_TEXT, &format, "of the log: text or json", "FORMAT"},
                {"debug", 0, OPTION_FLAG, &command->debug, "log what is asked for and how it ends", NULL},
                {"systemd-cgroup", 0, OPTION_FLAG, &command->systemd_cgroup, "cgroups are systemd's scopes", NULL},
                {"cgroup-manager", 0, OPTION_TEXT, &manager, "cgroupfs or systemd", "MANAGER"},
                {"rootless", 0, OPTION_TEXT, &rootless, "false or auto", "WORD"},
        };
        const struct syntax syntax = {
                .arguments = "VERB ...", .options = options, .n = sizeof options / sizeof *options, .in_order = true, .max = -1};

        int r = options_parse(&syntax, argc, argv, ret, err);
        if (r == 1) {
                (void) printf("\nVerbs (each has --help):\n");
                for (size_t i = 0; i < VERBS; i++)
                        if (verbs[i].run)
                                (void) printf("  %-10s %s\n", verbs[i].name, verbs[i].help);
        }
        if (r == 0 && ret->n == 0)
                r = berth_error_set(err, EINVAL, "no verb is given; berth-runtime --help lists them");
        return r == 0 ? main_check(command, format, manager, rootless, err) : r;
}

/*
 * Goes on as a program that the container, of whose processes one is a child of this one, cannot write. Returns when it is one already.
 */
static int main_seal(char **argv, struct berth_error *err) {
        _cleanup_close_ int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), sealed = -1;

        if (own < 0)
                return berth_error_set(err, errno, "open this program");
        if (sealed_executable_is(own))
                return 0;
        int r = sealed_executable_make(own, &sealed, err);
        if (r < 0)
                return r;
        (void) fexecve(sealed, argv, environ);
        return berth_error_set(err, errno, "execute this program from memory");
}

static int main_run(struct command *command, int argc, char **argv, char **whole, struct berth_error *err) {
        struct arguments arguments;
        int r = main_options(command, argc, argv, &arguments, err);

        if (r != 0)
                return command_parsed(r);
        for (size_t i = 0; i < VERBS; i++) {
                if (strcmp(verbs[i].name, arguments.words[0]) != 0)
                        continue;
                if (!verbs[i].run) {
                        (void) berth_error_set(err, EINVAL, "the verb '%s' is not supported", verbs[i].name);
                        return 1;
                }
                if (verbs[i].contains) {
                        if (main_seal(whole, err) < 0)
                                return 1;
                        document_memory_keep();
                }
                log_debug(command, arguments.n, arguments.words);
                return verbs[i].run(command, arguments.n, arguments.words, err);
        }
        (void) berth_error_set(err, EINVAL, "unknown verb '%s'; berth-runtime --help lists them", arguments.words[0]);
        return 1;
}

int main(int argc, char **argv) {
        struct command command = {.root = COMMAND_DEFAULT_ROOT};
        struct berth_error err = {0};

        if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0)) {
                (void) printf("berth-runtime version %s\nspec: %s\n", BERTH_VERSION, COMMAND_OCI_VERSION);
                return 0;
        }
        /* Reading options moves words, and a program that begins again needs them where they were. */
        _cleanup_free_ char **words = calloc((size_t) argc + 1, sizeof *words);
        if (!words) {
                (void) berth_error_set(&err, ENOMEM, "memory for the arguments");
                log_end(&command, &err, 1);
                return 1;
        }
        memcpy(words, argv, (size_t) argc * sizeof *words);
        int status = main_run(&command, argc, words, argv, &err);
        log_end(&command, &err, status);
        return status;
}
