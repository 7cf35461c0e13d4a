/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "namespace.h"
#include "plan-internal.h"
#include "spec.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

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

static int spec_namespaces(const struct json_at *at, uint64_t *ret_seen, struct tlv_writer *writer, struct berth_error *err) {
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

static int spec_device(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        const char *path = NULL, *type = NULL;
        struct json_at path_at, type_at;
        int64_t mode = 0666, uid = 0, gid = 0, major = 0, minor = 0;

        int r = json_required(at, "path", &path_at, err);
        if (r == 0)
                r = json_text(&path_at, &path, err);
        if (r == 0 && path[0] != '/')
                r = json_fail(&path_at, err, "'%s' is not an absolute path", path);
        if (r == 0)
                r = json_required(at, "type", &type_at, err);
        if (r == 0)
                r = json_text(&type_at, &type, err);
        if (r == 0)
                r = json_number_member(at, "fileMode", 0, 0177777, &mode, err);
        if (r == 0)
                r = json_number_member(at, "uid", 0, UINT32_MAX - 1, &uid, err);
        if (r == 0)
                r = json_number_member(at, "gid", 0, UINT32_MAX - 1, &gid, err);
        if (r == 0)
                r = json_number_member(at, "major", 0, 0xfff, &major, err);
        if (r == 0)
                r = json_number_member(at, "minor", 0, 0xfffff, &minor, err);
        if (r < 0)
                return r;

        uint32_t kind = type[0] == 'b' ? S_IFBLK : type[0] == 'c' || type[0] == 'u' ? S_IFCHR : type[0] == 'p' ? S_IFIFO : 0;
        if (kind == 0 || type[1] != '\0')
                return json_fail(&type_at, err, "unknown device type '%s'", type);
        uint32_t numbers[5] = {kind | ((uint32_t) mode & 07777), (uint32_t) uid, (uint32_t) gid, (uint32_t) major, (uint32_t) minor};
        tlv_put_pair(writer, PLAN_DEVICE, numbers, sizeof numbers, path);
        return 0;
}

static int spec_devices(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list;
        size_t n;

        int r = json_list_member(at, "devices", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                r = json_check_object(&item, err);
                if (r == 0)
                        r = spec_device(&item, writer, err);
        }
        return r;
}

/* "net.ipv4.ip_forward" is a path with dots for slashes; a name that has slashes keeps its dots (sysctl(8)). */
static int spec_sysctl_path(const struct json_at *at, char *path, size_t capacity, struct berth_error *err) {
        size_t size = strlen(at->key);
        bool slashes = memchr(at->key, '/', size) != NULL;

        if (size == 0 || size >= capacity || at->key[0] == '/' || strstr(at->key, ".."))
                return json_fail(at, err, "is not the name of a sysctl");
        for (size_t i = 0; i <= size; i++)
                path[i] = !slashes && at->key[i] == '.' ? '/' : at->key[i];
        return 0;
}

/* The namespace whose own setting this is; 0: it is the host's for everybody. `path` has slashes. */
static uint64_t spec_sysctl_namespace(const char *path) {
        static const char *const ipc[] = {"kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
                                          "kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced"};

        for (size_t i = 0; i < sizeof ipc / sizeof *ipc; i++)
                if (strcmp(ipc[i], path) == 0)
                        return CLONE_NEWIPC;
        if (strncmp(path, "fs/mqueue/", 10) == 0)
                return CLONE_NEWIPC;
        if (strncmp(path, "net/", 4) == 0)
                return CLONE_NEWNET;
        return strcmp(path, "kernel/domainname") == 0 ? CLONE_NEWUTS : 0;
}

static int spec_sysctls(const struct json_at *at, uint64_t namespaces, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at sysctls;
        const char *key;
        json_t *value;

        if (!json_member(at, "sysctl", &sysctls))
                return 0;
        int r = json_check_object(&sysctls, err);
        if (r < 0)
                return r;
        json_object_foreach(sysctls.value, key, value) {
                struct json_at item = {.up = &sysctls, .key = key, .value = value};
                const char *text = NULL;
                char path[256];
                r = json_text(&item, &text, err);
                if (r == 0)
                        r = spec_sysctl_path(&item, path, sizeof path, err);
                if (r < 0)
                        return r;
                if (!(spec_sysctl_namespace(path) & namespaces))
                        return json_fail(&item, err, "is not a setting of a namespace that the container has of its own");
                tlv_put_pair(writer, PLAN_SYSCTL, path, strlen(path) + 1, text);
        }
        return 0;
}

static int spec_linux_refuse(const struct json_at *at, struct berth_error *err) {
        static const char *const keys[] = {"uidMappings", "gidMappings", "intelRdt",   "mountLabel",
                                           "personality", "timeOffsets", "netDevices", "memoryPolicy"};
        struct json_at member;

        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
                if (!json_member(at, keys[i], &member))
                        continue;
                bool empty = (json_is_array(member.value) && json_array_size(member.value) == 0) ||
                             (json_is_object(member.value) && json_object_size(member.value) == 0) ||
                             (json_is_string(member.value) && *json_string_value(member.value) == '\0');
                if (!empty)
                        return json_fail(&member, err, "is not supported");
        }
        return 0;
}

static int spec_cgroup_path(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        const char *path = NULL;
        struct json_at member;

        if (!json_member(at, "cgroupsPath", &member))
                return 0;
        int r = json_text(&member, &path, err);
        if (r == 0 && *path && path[0] != '/')
                r = json_fail(&member, err, "'%s' is not an absolute path (systemd's slice:prefix:name form is not supported)", path);
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
                r = spec_namespaces(at, &namespaces, writer, err);
        if (r == 0)
                r = spec_devices(at, writer, err);
        if (r == 0)
                r = spec_sysctls(at, namespaces, writer, err);
        if (r == 0)
                r = spec_write_paths(at, "maskedPaths", PLAN_MASKED_PATH, writer, err);
        if (r == 0)
                r = spec_write_paths(at, "readonlyPaths", PLAN_READONLY_PATH, writer, err);
        if (r == 0)
                r = spec_cgroup_path(at, writer, err);
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
