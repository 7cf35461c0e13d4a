/* SPDX-License-Identifier: Apache-2.0 */
#include "launch-plan.h"
#include "json.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "plan-compile.h"
#include "seccomp-compile.h"

/* What the daemon would say in the keeper document. */
static json_t *launch_keeper(const struct command *command, const char *id, const char *bundle, const json_t *config) {
        const char *root = json_string_value(json_object_get(json_object_get(config, "root"), "path")), *network = "host";
        char directory[PATH_MAX], path[2 * PATH_MAX];
        json_t *namespace;
        size_t index;

        if (!root)
                root = "rootfs";
        (void) snprintf(directory, sizeof directory, "%s/%s", command->root, id);
        (void) snprintf(path, sizeof path, "%s%s%s", root[0] == '/' ? "" : bundle, root[0] == '/' ? "" : "/", root);
        json_array_foreach(json_object_get(json_object_get(config, "linux"), "namespaces"), index, namespace) {
                const char *type = "", *by_path = "";
                (void) json_unpack(namespace, "{s:s, s?s}", "type", &type, "path", &by_path);
                if (strcmp(type, "network") == 0 && *by_path == '\0')
                        network = "none";
        }
        return json_pack("{s:s, s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:{s:s}}", "id", id, "directory", directory, "bundle", bundle, "log", "driver",
                         "none", "rootfs", "kind", "directory", "path", path, "network", "kind", network);
}

static int launch_filter(const json_t *config, struct plan_sources *sources, struct berth_error *err) {
        static unsigned char filter[BPF_MAXINSNS * sizeof(struct sock_filter)];
        json_t *seccomp = json_object_get(json_object_get(config, "linux"), "seccomp");

        if (!json_is_object(seccomp))
                return 0; /* nothing, or something that is refused with its place */
        sources->filter = filter;
        return seccomp_compile_value(seccomp, filter, sizeof filter, &sources->filter_size, err);
}

int launch_plan(const struct command *command, const char *id, const char *bundle, const json_t *config, struct plan **ret, struct berth_error *err) {
        struct plan_sources sources = {0};
        _cleanup_close_ int fd = -1;

        int r = launch_filter(config, &sources, err);
        if (r < 0)
                return r;
        json_t *keeper = launch_keeper(command, id, bundle, config);
        if (!keeper)
                return berth_error_set(err, EINVAL, "the bundle's path is not UTF-8");
        r = plan_compile_documents(&sources, config, keeper, &fd, err);
        json_decref(keeper);
        return r < 0 ? r : plan_open(fd, ret, err);
}

int launch_plan_exec(const json_t *process, struct plan **ret, struct berth_error *err) {
        struct plan_sources sources = {0};
        _cleanup_close_ int fd = -1;

        int r = launch_filter(process, &sources, err);
        if (r == 0)
                r = plan_compile_documents(&sources, process, NULL, &fd, err);
        return r < 0 ? r : plan_open(fd, ret, err);
}
