/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * rename_storm SEED NAME[,NAME…]:DIRECTORY[:DIRECTORY…] …: moves and exchanges the names of each group, all of them in all of its directories, as
 * fast as it can until standard input ends, and prints how often it did. The directories are opened first, so that nothing outside is ever moved.
 */

#define STORM_GROUPS 8
#define STORM_SLOTS 64

struct slot {
        int directory;
        const char *name;
};

struct group {
        struct slot slots[STORM_SLOTS];
        size_t n_slots;
};

static uint32_t storm_next(uint32_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

static int storm_add_directory(struct group *group, const char *names, const char *path) {
        int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        char *copy = strdup(names), *rest = NULL;

        if (directory < 0 || !copy)
                return -1;
        for (char *name = strtok_r(copy, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
                if (group->n_slots == STORM_SLOTS)
                        return -1;
                group->slots[group->n_slots++] = (struct slot) {directory, name};
        }
        return 0;
}

static int storm_add_group(struct group *group, char *text) {
        char *rest = NULL, *names = strtok_r(text, ":", &rest);

        for (char *path = strtok_r(NULL, ":", &rest); path; path = strtok_r(NULL, ":", &rest))
                if (storm_add_directory(group, names, path) < 0)
                        return -1;
        return group->n_slots >= 2 ? 0 : -1;
}

static bool storm_move(const struct group *group, uint32_t *state) {
        size_t first = storm_next(state) % group->n_slots, second = (first + 1 + storm_next(state) % (group->n_slots - 1)) % group->n_slots;
        const struct slot *from = &group->slots[first], *to = &group->slots[second];
        unsigned flags = storm_next(state) % 4 == 0 ? 1 /* RENAME_NOREPLACE */ : 2 /* RENAME_EXCHANGE */;

        return syscall(SYS_renameat2, from->directory, from->name, to->directory, to->name, flags) == 0;
}

int main(int argc, char **argv) {
        static struct group groups[STORM_GROUPS];
        struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
        size_t n_groups = argc < 2 ? 0 : (size_t) argc - 2;
        uint32_t state = argc < 2 ? 0 : (uint32_t) strtoul(argv[1], NULL, 10) | 1;
        unsigned long moves = 0;

        if (n_groups == 0 || n_groups > STORM_GROUPS)
                return 2;
        for (size_t i = 0; i < n_groups; i++)
                if (storm_add_group(&groups[i], argv[i + 2]) < 0)
                        return 2;
        while (poll(&end, 1, 0) == 0)
                for (int i = 0; i < 64; i++)
                        moves += storm_move(&groups[storm_next(&state) % n_groups], &state) ? 1U : 0U;
        (void) printf("%lu\n", moves);
        return 0;
}
