/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <string.h>

#include "plan-internal.h"
#include "spec.h"

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

int spec_write_sysctls(const struct json_at *at, uint64_t namespaces, struct tlv_writer *writer, struct berth_error *err) {
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
