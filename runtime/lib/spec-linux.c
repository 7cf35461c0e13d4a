/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan-internal.h"
#include "spec.h"
#include "systemd-scope.h"

#define SPEC_LABEL_MAX 255 /* bytes of a value that fsconfig(2) takes */

int spec_write_paths(const struct json_at *at, const char *key, uint16_t tag, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list;
        size_t n;

        int r = json_list_member(at, key, &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                const char *path = NULL;
                r = json_text(&item, &path, err);
                if (r == 0 && path[0] != '/')
                        r = json_fail(&item, err, "'%s' is not an absolute path", path);
                if (r == 0)
                        tlv_put_string(writer, tag, path);
        }
        return r;
}

static int spec_linux_refuse(const struct json_at *at, struct berth_error *err) {
        struct json_at member;

        return json_member(at, "intelRdt", &member) ? json_fail(&member, err, "control of caches and memory bandwidth (resctrl) is not supported")
                                                    : 0;
}

/* It stands between quotes among the options of mount(2). */
static int spec_mount_label(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        const char *label = NULL;
        struct json_at member;

        if (!json_member(at, "mountLabel", &member))
                return 0;
        int r = json_text(&member, &label, err);
        if (r < 0 || !*label)
                return r;
        if (strlen(label) > SPEC_LABEL_MAX)
                return json_fail(&member, err, "is longer than %d bytes", SPEC_LABEL_MAX);
        if (strchr(label, '"'))
                return json_fail(&member, err, "'%s' has a quote, so it is no label of SELinux", label);
        tlv_put_string(writer, PLAN_MOUNT_LABEL, label);
        return 0;
}

static int spec_cgroup_path(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        const char *path = NULL;
        struct json_at member;

        if (!json_member(at, "cgroupsPath", &member))
                return 0;
        int r = json_text(&member, &path, err);
        if (r == 0 && *path && path[0] != '/' && !systemd_scope_named(path))
                r = json_fail(&member, err, "'%s' is neither an absolute path nor slice:prefix:name of systemd", path);
        if (r == 0 && *path)
                tlv_put_string(writer, PLAN_CGROUP_PATH, path);
        return r;
}

int spec_write_linux(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        const char *propagation = NULL;
        struct json_at member;
        uint64_t namespaces = 0;

        int r = spec_linux_refuse(at, err);
        if (r == 0)
                r = spec_write_namespaces(at, &namespaces, writer, err);
        if (r == 0)
                r = spec_write_devices(at, writer, err);
        if (r == 0)
                r = spec_write_sysctls(at, namespaces, writer, err);
        if (r == 0)
                r = spec_write_paths(at, "maskedPaths", PLAN_MASKED_PATH, writer, err);
        if (r == 0)
                r = spec_write_paths(at, "readonlyPaths", PLAN_READONLY_PATH, writer, err);
        if (r == 0)
                r = spec_cgroup_path(at, writer, err);
        if (r == 0)
                r = spec_mount_label(at, writer, err);
        if (r == 0)
                r = json_text_member(at, "rootfsPropagation", &propagation, err);
        if (r == 0 && propagation && *propagation) {
                uint64_t flags = spec_propagation(propagation);
                (void) json_member(at, "rootfsPropagation", &member);
                if (flags == 0)
                        return json_fail(&member, err, "unknown propagation '%s'", propagation);
                tlv_put(writer, PLAN_ROOT_PROPAGATION, &flags, sizeof flags);
        }
        if (r == 0 && json_member(at, "resources", &member)) {
                r = json_check_object(&member, err);
                if (r == 0)
                        r = spec_write_resources(&member, writer, err);
        }
        return r;
}
