/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan-internal.h"
#include "spec.h"

/* A host name set in a namespace that is shared would be the host's own. */
static int spec_name(const struct json_at *config, const char *key, uint16_t tag, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at member, linux_at, list;
        const char *name = NULL;
        bool own = false;
        size_t n = 0;

        if (!json_member(config, key, &member))
                return 0;
        int r = json_text(&member, &name, err);
        if (r < 0 || *name == '\0')
                return r;
        if (strlen(name) > 64)
                return json_fail(&member, err, "is longer than 64 bytes");
        if (json_member(config, "linux", &linux_at) && json_list_member(&linux_at, "namespaces", &list, &n, NULL) == 0)
                for (size_t i = 0; i < n; i++) {
                        struct json_at item = json_item(&list, i);
                        const char *type = "";
                        if (json_text_member(&item, "type", &type, NULL) == 0 && strcmp(type, "uts") == 0)
                                own = true;
                }
        if (!own)
                return json_fail(&member, err, "needs a uts namespace");
        tlv_put_string(writer, tag, name);
        return 0;
}

int spec_write_container(const struct json_at *config, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at root, linux_at;
        bool readonly = false;

        int r = json_member(config, "root", &root) ? json_truth_member(&root, "readonly", &readonly, err) : 0;
        if (r == 0 && readonly)
                tlv_put(writer, PLAN_ROOT_READONLY, NULL, 0);
        if (r == 0)
                r = spec_name(config, "hostname", PLAN_HOSTNAME, writer, err);
        if (r == 0)
                r = spec_name(config, "domainname", PLAN_DOMAINNAME, writer, err);
        if (r == 0)
                r = json_required(config, "linux", &linux_at, err);
        if (r == 0)
                r = json_check_object(&linux_at, err);
        return r == 0 ? spec_write_linux(&linux_at, writer, err) : r;
}
