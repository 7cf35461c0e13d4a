/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "state-file.h"

/* Rows first, then their widths: who reads a table splits it at spaces. */
#define LIST_COLUMNS 6
static const char *const list_titles[LIST_COLUMNS] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
static const char *const list_keys[LIST_COLUMNS] = {"id", "pid", "status", "bundle", "created", "owner"};

/* The name in the host's own file, which is all that a static program should ask; else the number. */
static void list_owner(uid_t uid, char *ret, size_t capacity) {
        FILE *users = fopen("/etc/passwd", "re");
        struct passwd *user = NULL;

        while (users && (user = fgetpwent(users)) && user->pw_uid != uid)
                ;
        if (user)
                (void) snprintf(ret, capacity, "%s", user->pw_name);
        else
                (void) snprintf(ret, capacity, "#%u", (unsigned) uid);
        if (users)
                (void) fclose(users);
}

static void list_add(const struct command *command, const char *id, struct cgroup_layout *layout, json_t *list) {
        _cleanup_state_ struct state state = {0};
        _cleanup_close_ int directory = -1;
        enum state_status status;
        char owner[64];
        struct stat st;

        /* One that is being made, or being removed, has no state to tell. */
        if (state_directory_open(command, id, &directory, NULL) < 0 || state_read(directory, id, &state, NULL) < 0 || fstat(directory, &st) < 0 ||
            state_status(&state, layout, &status, NULL) < 0)
                return;
        list_owner(st.st_uid, owner, sizeof owner);
        (void) json_array_append_new(list, state_to_json(&state, status, owner));
}

static const char *list_cell(const json_t *row, size_t column, char (*number)[16]) {
        const json_t *value = json_object_get(row, list_keys[column]);

        if (!json_is_integer(value))
                return json_string_value(value);
        (void) snprintf(*number, sizeof *number, "%d", (int) json_integer_value(value));
        return *number;
}

static void list_print_table(const json_t *list) {
        int widths[LIST_COLUMNS];
        char number[16];
        size_t index;
        json_t *row;

        for (size_t i = 0; i < LIST_COLUMNS; i++) {
                size_t widest = 9; /* and three spaces: runc's table */
                json_array_foreach(list, index, row) {
                        size_t size = strlen(list_cell(row, i, &number));
                        widest = size > widest ? size : widest;
                }
                widths[i] = i + 1 < LIST_COLUMNS ? (int) widest + 3 : 0;
                (void) printf("%-*s", widths[i], list_titles[i]);
        }
        (void) putchar('\n');
        json_array_foreach(list, index, row) {
                for (size_t i = 0; i < LIST_COLUMNS; i++)
                        (void) printf("%-*s", widths[i], list_cell(row, i, &number));
                (void) putchar('\n');
        }
}

static int list_print(const json_t *list, const char *format, bool quiet, struct berth_error *err) {
        size_t index;
        json_t *row;

        if (quiet) {
                json_array_foreach(list, index, row)(void) puts(json_string_value(json_object_get(row, "id")));
                return 0;
        }
        if (strcmp(format, "json") == 0)
                return command_print(list, JSON_COMPACT, err);
        list_print_table(list);
        return 0;
}

int command_list(const struct command *command, int argc, char **argv, struct berth_error *err) {
        const char *format = "table";
        bool quiet = false;
        const struct option options[] = {
                {"format", 'f', OPTION_TEXT, &format, "table or json", "FORMAT"},
                {"quiet", 'q', OPTION_FLAG, &quiet, "print the ids alone", NULL},
        };
        const struct syntax syntax = {.verb = "list", .arguments = "", .options = options, .n = sizeof options / sizeof *options};
        struct cgroup_layout layout = {0};
        struct arguments arguments;

        int r = options_parse(&syntax, argc, argv, &arguments, err);
        if (r != 0)
                return command_parsed(r);
        if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0) {
                (void) berth_error_set(err, EINVAL, "list: invalid format option '%s'; table and json are known", format);
                return 1;
        }
        struct dirent **names = NULL;
        int n = scandir(command->root, &names, NULL, alphasort);
        if (n < 0 && errno != ENOENT) {
                (void) berth_error_set(err, errno, "open '%s'", command->root);
                return 1;
        }
        json_t *list = json_array();
        for (int i = 0; i < n; i++) {
                list_add(command, names[i]->d_name, &layout, list);
                free(names[i]);
        }
        free(names);
        r = list_print(list, format, quiet, err);
        json_decref(list);
        return r < 0 ? 1 : 0;
}
