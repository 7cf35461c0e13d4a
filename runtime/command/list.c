/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>

#include "cleanup.h"
#include "command.h"

int command_list(const struct command *command, int argc, char **argv, struct berth_error *err) {
        (void) argv;
        if (argc != 1)
                return command_usage(err, "list");

        _cleanup_closedir_ DIR *directory = opendir(command->root);
        json_t *list = json_array();
        if (!directory && errno != ENOENT) {
                (void) berth_error_set(err, errno, "open '%s'", command->root);
                json_decref(list);
                return 1;
        }
        for (struct dirent *entry = directory ? readdir(directory) : NULL; entry; entry = readdir(directory)) {
                struct state state;
                /* One that is being made, or being removed, has no state to tell. */
                if (entry->d_name[0] != '.' && state_read(command, entry->d_name, &state, NULL) == 0)
                        (void) json_array_append_new(list, state_json(&state));
        }
        int r = command_print(list, err);
        json_decref(list);
        return r < 0 ? 1 : 0;
}
