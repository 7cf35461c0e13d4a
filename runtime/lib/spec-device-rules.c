/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cgroup.h"
#include "spec-resources.h"

/*
 * What every container may do with devices, whatever its rules say: make nodes, and use those it is given by default. Without
 * them a list that begins with "deny all" would keep the runtime itself from making /dev.
 */
static const struct cgroup_device_rule spec_default_rules[] = {
        {.allow = true, .type = 'c', .major = -1, .minor = -1, .access = "m"},
        {.allow = true, .type = 'b', .major = -1, .minor = -1, .access = "m"},
        {.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 1, .minor = 5, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 1, .minor = 7, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 1, .minor = 8, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 1, .minor = 9, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 5, .minor = 0, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 5, .minor = 2, .access = "rwm"},
        {.allow = true, .type = 'c', .major = 136, .minor = -1, .access = "rwm"},
};
#define SPEC_DEFAULT_RULES (sizeof spec_default_rules / sizeof *spec_default_rules)

static int spec_device_rule(const struct json_at *at, struct cgroup_device_rule *ret, struct berth_error *err) {
        const char *type = "a", *access = "rwm";
        struct json_at member;

        *ret = (struct cgroup_device_rule){.major = -1, .minor = -1};
        int r = json_required(at, "allow", &member, err);
        if (r == 0)
                r = json_truth(&member, &ret->allow, err);
        if (r == 0)
                r = json_text_member(at, "type", &type, err);
        if (r == 0)
                r = json_number_member(at, "major", -1, UINT32_MAX, &ret->major, err);
        if (r == 0)
                r = json_number_member(at, "minor", -1, UINT32_MAX, &ret->minor, err);
        if (r == 0)
                r = json_text_member(at, "access", &access, err);
        if (r < 0)
                return r;
        if (*type == '\0')
                type = "a";
        if (!strchr("abc", type[0]) || type[1] != '\0')
                return json_fail(at, err, "unknown device type '%s'", type);
        if (*access == '\0')
                access = "rwm";
        if (strlen(access) >= sizeof ret->access || strspn(access, "rwm") != strlen(access))
                return json_fail(at, err, "unknown device access '%s'", access);
        ret->type = type[0];
        (void) strcpy(ret->access, access);
        return 0;
}

int spec_write_device_rules(const struct json_at *resources, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list;
        size_t n;

        int r = json_list_member(resources, "devices", &list, &n, err);
        if (r == 0 && n + SPEC_DEFAULT_RULES > CGROUP_DEVICE_RULES)
                return json_fail(&list, err, "more than %zu rules", CGROUP_DEVICE_RULES - SPEC_DEFAULT_RULES);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                struct cgroup_device_rule rule;
                r = json_check_object(&item, err);
                if (r == 0)
                        r = spec_device_rule(&item, &rule, err);
                if (r == 0)
                        tlv_put(writer, PLAN_DEVICE_RULE, &rule, sizeof rule);
        }
        for (size_t i = 0; r == 0 && n > 0 && i < SPEC_DEFAULT_RULES; i++)
                tlv_put(writer, PLAN_DEVICE_RULE, &spec_default_rules[i], sizeof spec_default_rules[i]);
        return r;
}
