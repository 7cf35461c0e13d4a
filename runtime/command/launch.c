/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "fd.h"
#include "filter-cache.h"
#include "plan-compile.h"
#include "process-identity.h"

int launch_arguments(struct launch *launch, const struct command *command, int argc, char **argv, bool console) {
        launch->command = command;
        for (int i = 1; i < argc; i++) {
                const char **value = NULL;
                if (strcmp(argv[i], "--bundle") == 0 || strcmp(argv[i], "-b") == 0)
                        value = &launch->bundle;
                else if (strcmp(argv[i], "--pid-file") == 0)
                        value = &launch->pid_file;
                else if (console && strcmp(argv[i], "--console-socket") == 0)
                        value = &launch->console_socket;
                if (value && i + 1 < argc)
                        *value = argv[++i];
                else if (value || argv[i][0] == '-' || launch->id)
                        return -EINVAL;
                else
                        launch->id = argv[i];
        }
        return launch->id ? 0 : -EINVAL;
}

/* config.json names what the daemon would say in the keeper document. */
static json_t *launch_keeper(const struct launch *launch) {
        const char *root = "rootfs", *network = "host";
        char directory[PATH_MAX], path[2 * PATH_MAX];
        json_t *namespace;
        size_t index;

        (void) json_unpack(launch->config, "{s:{s:s}}", "root", "path", &root);
        (void) snprintf(directory, sizeof directory, "%s/%s", launch->command->root, launch->id);
        (void) snprintf(path, sizeof path, "%s%s%s", root[0] == '/' ? "" : launch->path, root[0] == '/' ? "" : "/", root);
        json_array_foreach(json_object_get(json_object_get(launch->config, "linux"), "namespaces"), index, namespace) {
                const char *type = "", *by_path = "";
                (void) json_unpack(namespace, "{s:s, s?s}", "type", &type, "path", &by_path);
                if (strcmp(type, "network") == 0 && *by_path == '\0')
                        network = "none";
        }
        return json_pack("{s:s, s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:{s:s}}", "id", launch->id, "directory", directory, "bundle", launch->path, "log",
                         "driver", "none", "rootfs", "kind", "directory", "path", path, "network", "kind", network);
}

static int launch_default_cgroup(struct launch *launch) {
        json_t *linux_part = json_object_get(launch->config, "linux");
        char path[512];

        if (!json_is_object(linux_part) || json_object_get(linux_part, "cgroupsPath"))
                return 0;
        (void) snprintf(path, sizeof path, "/berth-runtime.%s", launch->id);
        return json_object_set_new(linux_part, "cgroupsPath", json_string(path));
}

int launch_plan(struct launch *launch, struct plan **ret, struct berth_error *err) {
        static unsigned char filter[BPF_MAXINSNS * sizeof(struct sock_filter)];
        struct plan_sources sources = {0};
        json_t *seccomp = json_object_get(json_object_get(launch->config, "linux"), "seccomp"), *keeper;
        _cleanup_close_ int fd = -1;

        if (launch_default_cgroup(launch) < 0)
                return berth_error_set(err, ENOMEM, "memory for config.json");
        if (json_is_object(seccomp)) {
                _cleanup_free_ char *profile = json_dumps(seccomp, JSON_COMPACT);
                if (!profile)
                        return berth_error_set(err, ENOMEM, "memory for the seccomp profile");
                int r = filter_cache_compile(launch->command, profile, strlen(profile), filter, sizeof filter, &sources.filter_size, err);
                if (r < 0)
                        return r;
                sources.filter = filter;
        }
        keeper = launch_keeper(launch);
        _cleanup_free_ char *keeper_text = keeper ? json_dumps(keeper, JSON_COMPACT) : NULL;
        _cleanup_free_ char *config_text = json_dumps(launch->config, JSON_COMPACT);
        json_decref(keeper);
        if (!keeper_text || !config_text)
                return berth_error_set(err, ENOMEM, "memory for the plan");
        sources.config = config_text;
        sources.config_size = strlen(config_text);
        sources.keeper = keeper_text;
        sources.keeper_size = strlen(keeper_text);
        int r = plan_compile(&sources, &fd, err);
        return r < 0 ? r : plan_open(fd, ret, err);
}

int launch_record(struct launch *launch, const struct plan *plan, struct berth_error *err) {
        const char *cgroup = plan_cgroup_path(plan);
        struct state state = {.pid = launch->container.init.pid};
        time_t now = time(NULL);
        struct tm tm;
        char text[16];

        (void) snprintf(state.id, sizeof state.id, "%s", launch->id);
        (void) snprintf(state.bundle, sizeof state.bundle, "%s", launch->path);
        (void) snprintf(state.cgroup, sizeof state.cgroup, "%s", cgroup ? cgroup : "");
        if (gmtime_r(&now, &tm))
                (void) strftime(state.created, sizeof state.created, "%Y-%m-%dT%H:%M:%SZ", &tm);
        int r = process_start_time(state.pid, &state.start_time, err);
        if (r == 0)
                r = state_write(launch->directory, &state, err);
        if (r < 0 || !launch->pid_file)
                return r;

        _cleanup_close_ int fd = open(launch->pid_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        int n = snprintf(text, sizeof text, "%d", (int) state.pid);
        if (fd < 0 || fd_write_all(fd, text, (size_t) n) < 0)
                return berth_error_set(err, errno, "write the pid to '%s'", launch->pid_file);
        return 0;
}

int launch_open(struct launch *launch, struct berth_error *err) {
        int r = config_read(launch->bundle, launch->path, &launch->config, err);
        return r < 0 ? r : state_make(launch->command, launch->id, &launch->directory, err);
}

void launch_close(struct launch *launch) {
        cleanup_close(&launch->directory);
        json_decref(launch->config);
        *launch = LAUNCH_NONE;
}
