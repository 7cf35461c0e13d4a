/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <time.h>

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

/* Every step of a creation is taken by root of the user namespace, so there must be one. */
static bool spec_maps_root(const struct json_at *at, const char *key) {
        struct json_at list;
        size_t n;

        if (json_list_member(at, key, &list, &n, NULL) < 0)
                return false;
        for (size_t i = 0; i < n; i++) {
                struct json_at line = json_item(&list, i);
                int64_t inside = -1;
                if (json_number_member(&line, "containerID", 0, UINT32_MAX, &inside, NULL) == 0 && inside == 0)
                        return true;
        }
        return false;
}

static int spec_container_maps(const struct json_at *at, uint64_t seen, uint64_t made, struct tlv_writer *writer, struct berth_error *err) {
        static const char *const keys[] = {"uidMappings", "gidMappings"};
        size_t n = 0;

        int r = spec_write_id_maps(at, keys[0], keys[1], PLAN_ID_MAP, &n, writer, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < 2; i++) {
                struct json_at member;
                (void) json_member(at, keys[i], &member);
                if (n > 0 && !(seen & CLONE_NEWUSER))
                        return json_fail(&member, err, "needs a user namespace");
                if (n == 0 && made & CLONE_NEWUSER)
                        return json_fail(&member, err, "is missing, and the new user namespace needs it");
                if (n > 0 && !spec_maps_root(at, keys[i]))
                        return json_fail(&member, err, "must map id 0 of the container");
        }
        return 0;
}

static int spec_time_offset(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        static const struct {
                const char *name;
                uint32_t clock;
        } clocks[] = {{"monotonic", CLOCK_MONOTONIC}, {"boottime", CLOCK_BOOTTIME}};
        struct plan_time_offset offset = {0};
        int64_t nanoseconds = 0;
        size_t i = 0;

        while (i < sizeof clocks / sizeof *clocks && strcmp(clocks[i].name, at->key) != 0)
                i++;
        if (i == sizeof clocks / sizeof *clocks)
                return json_fail(at, err, "unknown clock; a time namespace has monotonic and boottime");
        int r = json_check_object(at, err);
        if (r == 0)
                r = json_number_member(at, "secs", INT64_MIN, INT64_MAX, &offset.seconds, err);
        if (r == 0)
                r = json_number_member(at, "nanosecs", 0, 999999999, &nanoseconds, err);
        if (r < 0)
                return r;
        offset.clock = clocks[i].clock;
        offset.nanoseconds = (uint32_t) nanoseconds;
        tlv_put(writer, PLAN_TIME_OFFSET, &offset, sizeof offset);
        return 0;
}

static int spec_time_offsets(const struct json_at *at, uint64_t made, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at offsets;
        const char *key;
        json_t *value;

        if (!json_member(at, "timeOffsets", &offsets))
                return 0;
        int r = json_check_object(&offsets, err);
        if (r == 0 && json_object_size(offsets.value) > 0 && !(made & CLONE_NEWTIME))
                r = json_fail(&offsets, err, "needs a new time namespace");
        if (r < 0)
                return r;
        json_object_foreach(offsets.value, key, value) {
                struct json_at item = {.up = &offsets, .key = key, .value = value};
                r = spec_time_offset(&item, writer, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool spec_is_link_name(const char *name) {
        size_t length = strlen(name);
        return length > 0 && length < IFNAMSIZ && !strpbrk(name, "/: \t\n") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int spec_net_devices(const struct json_at *at, uint64_t seen, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at devices;
        const char *key;
        json_t *value;

        if (!json_member(at, "netDevices", &devices))
                return 0;
        int r = json_check_object(&devices, err);
        if (r == 0 && json_object_size(devices.value) > 0 && !(seen & CLONE_NEWNET))
                r = json_fail(&devices, err, "needs a network namespace that is not the host's");
        if (r == 0 && json_object_size(devices.value) > PLAN_NET_DEVICES_MAX)
                r = json_fail(&devices, err, "more than %d devices", PLAN_NET_DEVICES_MAX);
        if (r < 0)
                return r;
        json_object_foreach(devices.value, key, value) {
                struct json_at item = {.up = &devices, .key = key, .value = value};
                const char *name = key;
                r = json_check_object(&item, err);
                if (r == 0)
                        r = json_text_member(&item, "name", &name, err);
                name = *name ? name : key;
                if (r == 0 && (!spec_is_link_name(key) || !spec_is_link_name(name)))
                        r = json_fail(&item, err, "'%s' is not a name for a network link", spec_is_link_name(key) ? name : key);
                if (r < 0)
                        return r;
                tlv_put_pair(writer, PLAN_NET_DEVICE, key, strlen(key) + 1, name);
        }
        return 0;
}

int spec_write_namespaces(const struct json_at *at, uint64_t *ret_seen, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list;
        uint64_t seen = 0, made = 0;
        size_t n;

        int r = json_list_member(at, "namespaces", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i), type;
                const char *name = "", *path = "";
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
                if (flag == CLONE_NEWNS && *path)
                        return json_fail(&item, err, "a mount namespace cannot be given by path");
                if (seen & flag)
                        return json_fail(&type, err, "namespace '%s' is given twice", name);
                seen |= flag;
                made |= *path ? 0 : flag;
                tlv_put_pair(writer, PLAN_NAMESPACE, &flag, sizeof flag, path);
        }
        if (r == 0 && !(seen & CLONE_NEWNS))
                r = json_fail(at, err, "a container needs a mount namespace of its own");
        if (r == 0)
                r = spec_container_maps(at, seen, made, writer, err);
        if (r == 0)
                r = spec_time_offsets(at, made, writer, err);
        if (r == 0)
                r = spec_net_devices(at, seen, writer, err);
        *ret_seen = seen;
        return r;
}
