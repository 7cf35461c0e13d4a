/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "namespace.h"
#include "plan-internal.h"
#include "spec.h"

static uint64_t spec_namespace_flag(const char *type) {
        static const struct {
                const char *type;
                uint64_t flag;
        } types[] = {
                {"pid", CLONE_NEWPID}, {"network", CLONE_NEWNET}, {"mount", CLONE_NEWNS},      {"ipc", CLONE_NEWIPC},
                {"uts", CLONE_NEWUTS}, {"user", CLONE_NEWUSER},   {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME},
        };

        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
                if (strcmp(types[i].type, type) == 0)
                        return types[i].flag;
        return 0;
}

int spec_write_namespaces(const struct json_at *at, uint64_t *ret_seen, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list;
        uint64_t seen = 0;
        size_t n;

        int r = json_list_member(at, "namespaces", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i), type;
                const char *name = NULL, *path = "";
                r = json_required(&item, "type", &type, err);
                if (r == 0)
                        r = json_text(&type, &name, err);
                if (r == 0)
                        r = json_text_member(&item, "path", &path, err);
                if (r < 0)
                        return r;
                uint64_t flag = spec_namespace_flag(name);
                if (flag == 0)
                        return json_fail(&type, err, "unknown namespace '%s'", name);
                if (flag == CLONE_NEWUSER || flag == CLONE_NEWTIME)
                        return json_fail(&type, err, "%s namespaces are not supported", name);
                if (flag == CLONE_NEWNS && *path)
                        return json_fail(&item, err, "a mount namespace cannot be given by path");
                if (seen & flag)
                        return json_fail(&type, err, "namespace '%s' is given twice", name);
                seen |= flag;
                tlv_put_pair(writer, PLAN_NAMESPACE, &flag, sizeof flag, path);
        }
        if (r == 0 && !(seen & CLONE_NEWNS))
                r = json_fail(at, err, "a container needs a mount namespace of its own");
        *ret_seen = seen;
        return r;
}
