/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "command.h"
#include "sealed-executable.h"

#define COMMAND_DEFAULT_ROOT "/run/berth-runtime"
#ifndef BERTH_VERSION
#define BERTH_VERSION "0.1.0"
#endif

static const struct {
        const char *name;
        command_verb run; /* NULL: known, but not there */
        const char *help;
        bool contains; /* it makes the first process of a container */
} verbs[] = {
        {"run", command_run, "make, start and wait for a container", true},
        {"create", command_create, "make a container that waits to be started", true},
        {"start", command_start, "start a created container", false},
        {"state", command_state, "print the state of a container", false},
        {"list", command_list, "print the states of all containers", false},
        {"kill", command_kill, "send a signal to a container's first process", false},
        {"delete", command_delete, "forget a container that has ended", false},
        {"features", command_features, "print what this runtime can do", false},
        {"spec", command_spec, "write a config.json to start from", false},
        {"exec", NULL, NULL, false},
        {"ps", NULL, NULL, false},
        {"pause", NULL, NULL, false},
        {"resume", NULL, NULL, false},
        {"update", NULL, NULL, false},
        {"events", NULL, NULL, false},
        {"checkpoint", NULL, NULL, false},
        {"restore", NULL, NULL, false},
};
#define VERBS (sizeof verbs / sizeof *verbs)

int command_usage(struct berth_error *err, const char *usage) {
        (void) berth_error_set(err, EINVAL, "usage: berth-runtime %s", usage);
        return 1;
}

int command_print(const json_t *value, struct berth_error *err) {
        if (!value)
                return berth_error_set(err, ENOMEM, "memory for the answer");
        if (json_dumpf(value, stdout, JSON_INDENT(2)) < 0 || fputc('\n', stdout) == EOF || fflush(stdout) == EOF)
                return berth_error_set(err, EIO, "write the answer");
        return 0;
}

static void main_help(FILE *stream) {
        (void) fprintf(stream, "Usage: berth-runtime [--root DIRECTORY] [--log FILE] [--log-format text|json] VERB ...\n\nVerbs:\n");
        for (size_t i = 0; i < VERBS; i++)
                if (verbs[i].run)
                        (void) fprintf(stream, "  %-10s %s\n", verbs[i].name, verbs[i].help);
        (void) fprintf(stream, "\nberth-runtime --version and --help print just that.\n");
}

/* Callers (podman, containerd) read the last line of the log, in the form that runc established. */
static void main_complain(const struct command *command, const struct berth_error *err) {
        FILE *stream = command->log ? fopen(command->log, "ae") : NULL;
        char now[32] = "";
        struct tm tm;
        time_t seconds = time(NULL);

        if (gmtime_r(&seconds, &tm))
                (void) strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &tm);
        if (stream && command->log_json) {
                json_t *line = json_pack("{s:s, s:s, s:s}", "level", "error", "msg", err->text, "time", now);
                if (line) {
                        (void) json_dumpf(line, stream, JSON_COMPACT);
                        (void) fputc('\n', stream);
                        json_decref(line);
                }
        } else if (stream) {
                (void) fprintf(stream, "time=\"%s\" level=error msg=\"%s\"\n", now, err->text);
        }
        if (stream)
                (void) fclose(stream);
        (void) fprintf(stderr, "berth-runtime: %s\n", err->text);
}

static const char *main_value(int argc, char **argv, int *at) {
        const char *equals = strchr(argv[*at], '=');
        if (equals)
                return equals + 1;
        return *at + 1 < argc ? argv[++*at] : NULL;
}

static bool main_is(const char *argument, const char *option) {
        size_t size = strlen(option);
        return strncmp(argument, option, size) == 0 && (argument[size] == '\0' || argument[size] == '=');
}

/* Answers the index of the verb, or -1 with err set. */
static int main_options(struct command *command, int argc, char **argv, struct berth_error *err) {
        int at = 1;

        for (; at < argc && argv[at][0] == '-'; at++) {
                const char *option = argv[at], *value = "";
                if (main_is(option, "--root"))
                        command->root = value = main_value(argc, argv, &at);
                else if (main_is(option, "--log"))
                        command->log = value = main_value(argc, argv, &at);
                else if (main_is(option, "--log-format")) {
                        value = main_value(argc, argv, &at);
                        command->log_json = value && strcmp(value, "json") == 0;
                } else if (strcmp(option, "--debug") != 0) {
                        (void) berth_error_set(err, EINVAL, "unknown option '%s'", option);
                        return -1;
                }
                if (!value) {
                        (void) berth_error_set(err, EINVAL, "option '%s' needs a value", option);
                        return -1;
                }
        }
        if (at == argc) {
                (void) berth_error_set(err, EINVAL, "no verb is given; berth-runtime --help lists them");
                return -1;
        }
        return at;
}

/*
 * Goes on as a program that the container, whose first process is a child of this one, cannot write. Returns when it is one already.
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

static int main_run(struct command *command, int argc, char **argv, struct berth_error *err) {
        int at = main_options(command, argc, argv, err);

        if (at < 0)
                return 1;
        for (size_t i = 0; i < VERBS; i++) {
                if (strcmp(verbs[i].name, argv[at]) != 0)
                        continue;
                if (verbs[i].contains && main_seal(argv, err) < 0)
                        return 1;
                if (verbs[i].run)
                        return verbs[i].run(command, argc - at, argv + at, err);
                (void) berth_error_set(err, ENOSYS, "the verb '%s' is not supported yet", argv[at]);
                return 1;
        }
        (void) berth_error_set(err, EINVAL, "unknown verb '%s'; berth-runtime --help lists them", argv[at]);
        return 1;
}

int main(int argc, char **argv) {
        struct command command = {.root = COMMAND_DEFAULT_ROOT};
        struct berth_error err = {0};

        if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0)) {
                (void) printf("berth-runtime version %s\nspec: %s\n", BERTH_VERSION, COMMAND_OCI_VERSION);
                return 0;
        }
        if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
                main_help(stdout);
                return 0;
        }
        int status = main_run(&command, argc, argv, &err);
        if (err.code != 0)
                main_complain(&command, &err);
        return status;
}
