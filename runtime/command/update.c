/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "config-file.h"
#include "json.h"
#include "spec-limits.h"
#include "state-file.h"
#include "update-flags.h"

static int update_group(const struct state *state, const json_t *resources, struct berth_error *err) {
        struct cgroup_layout layout = {0};
        struct spec_limits *limits = NULL;
        struct cgroup cgroup;

        _cleanup_free_ char *text = json_write(resources, JSON_COMPACT);
        if (!text)
                return berth_error_set(err, ENOMEM, "memory for the limits");
        int r = spec_limits_open(text, strlen(text), &limits, err);
        if (r == 0)
                r = state_cgroup(state, &layout, &cgroup, err);
        if (r == 0)
                r = cgroup_update(&layout, &cgroup, spec_limits_get(limits), err);
        spec_limits_close(limits);
        return r;
}

/* Limits that were changed are those of the container from now on. */
static int update_config(int directory, const json_t *resources, struct berth_error *err) {
        json_t *config = NULL;

        int r = state_directory_read(directory, "config.json", &config, err);
        if (r < 0)
                return r;
        json_t *linux_part = json_object_get(config, "linux");
        if (!linux_part) {
                linux_part = json_object();
                (void) json_object_set_new(config, "linux", linux_part);
        }
        json_t *kept = json_object_get(linux_part, "resources");
        r = json_is_object(kept) ? json_object_update_recursive(kept, (json_t *) (uintptr_t) resources)
                                 : json_object_set(linux_part, "resources", (json_t *) (uintptr_t) resources);
        _cleanup_free_ char *text = r == 0 ? json_write(config, JSON_COMPACT) : NULL;
        json_decref(config);
        return text ? state_directory_write(directory, "config.json", text, strlen(text), err)
                    : berth_error_set(err, ENOMEM, "memory for config.json");
}

static int update_container(const struct command *command, const char *id, const json_t *resources, struct berth_error *err) {
        _cleanup_state_ struct state state = {0};
        _cleanup_close_ int directory = -1, pidfd = -1;

        int r = state_take(command, id, &directory, &state, err);
        if (r == 0 && state_open_process(&state, &pidfd) < 0)
                r = berth_error_set(err, EINVAL, "container not running: '%s' has ended", id);
        if (r == 0)
                r = update_group(&state, resources, err);
        return r == 0 ? update_config(directory, resources, err) : r;
}

int command_update(const struct command *command, int argc, char **argv, struct berth_error *err) {
        const char *file = NULL, *cache_schema = NULL, *bandwidth_schema = NULL, *words[UPDATE_FLAGS] = {NULL};
        struct option options[UPDATE_FLAGS + 3] = {
                {"resources", 'r', OPTION_TEXT, &file, "limits as linux.resources of config.json, from a file or '-'; alone", "FILE"},
                {"l3-cache-schema", 0, OPTION_TEXT, &cache_schema, "not supported", "SCHEMA"},
                {"mem-bw-schema", 0, OPTION_TEXT, &bandwidth_schema, "not supported", "SCHEMA"},
        };
        const struct syntax syntax = {
                .verb = "update", .arguments = "ID", .options = options, .n = sizeof options / sizeof *options, .min = 1, .max = 1};
        struct arguments arguments;
        json_t *resources = NULL;

        update_flags_describe(options + 3, words);
        int r = options_parse(&syntax, argc, argv, &arguments, err);
        if (r != 0)
                return command_parsed(r);
        if (cache_schema || bandwidth_schema)
                r = berth_error_set(err, EINVAL, "update: Intel RDT (--l3-cache-schema, --mem-bw-schema) is not supported");
        else
                r = file ? config_file_read(AT_FDCWD, file, NULL, &resources, err) : update_flags_resources(words, &resources, err);
        if (r == 0)
                r = update_container(command, arguments.words[0], resources, err);
        json_decref(resources);
        return r < 0 ? 1 : 0;
}
