/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/*
 * Stays in the group whose processor time is counted and runs what it is told to, a line each: words separated by tabs. Answers a
 * line with the exit status when the command and all that it left have ended. Standard input and output of the commands lead
 * nowhere but for `out:FILE` as the first word, which gets the output.
 */
extern char **environ;

#define WORDS_MAX 64

static int spawner_run(char *line) {
        char *words[WORDS_MAX + 1], *output = "/dev/null", *rest = line, *word;
        posix_spawn_file_actions_t files;
        size_t n = 0;
        int status = 0, ended = 0;
        pid_t pid, any;

        while ((word = strsep(&rest, "\t\n")) && n < WORDS_MAX)
                if (*word)
                        words[n++] = word;
        words[n] = NULL;
        char **command = words;
        if (n > 1 && strncmp(words[0], "out:", 4) == 0) {
                output = words[0] + 4;
                command++;
        }
        (void) posix_spawn_file_actions_init(&files);
        (void) posix_spawn_file_actions_addopen(&files, 0, "/dev/null", 0, 0);
        (void) posix_spawn_file_actions_addopen(&files, 1, output, 01 | 0100 | 01000, 0600);
        int r = posix_spawnp(&pid, command[0], &files, NULL, command, environ);
        (void) posix_spawn_file_actions_destroy(&files);
        if (r != 0)
                return 127;
        while ((any = waitpid(-1, &ended, 0)) > 0 || errno == EINTR)
                if (any == pid)
                        status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
        return status;
}

int main(void) {
        static char line[65536];

        (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
        while (fgets(line, sizeof line, stdin)) {
                printf("%d\n", spawner_run(line));
                (void) fflush(stdout);
        }
        return 0;
}
