/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd-scope.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cgroup-internal.h"
#include "cgroup-stats.h"
#include "cleanup.h"
#include "dbus.h"
#include "sys.h"

/* Systemd's own socket, where root needs no bus between. */
#define SYSTEMD_SOCKET "/run/systemd/private"
#define UNIT_MAX 256
/* As many messages of others may pass before the one about our job. */
#define MESSAGES_MAX 4096

static void cleanup_dbus(struct dbus **dbus) {
        dbus_close(*dbus);
}
#define _cleanup_dbus_ __attribute__((cleanup(cleanup_dbus)))

/* ---- names ---- */

static bool is_unit_name(const char *text, size_t length) {
        for (size_t i = 0; i < length; i++)
                if (!isalnum((unsigned char) text[i]) && !strchr("_.-@", text[i]))
                        return false;
        return length > 0;
}

/* "/a.slice/a-b.slice" of "a-b.slice" (systemd.slice(5)). */
static int expand_slice(const char *slice, size_t length, char *ret, size_t capacity, struct berth_error *err) {
        static const char suffix[] = ".slice";
        size_t stem = length - (sizeof(suffix) - 1), used = 0;
        if (length < sizeof(suffix) || strncmp(slice + stem, suffix, sizeof(suffix) - 1) != 0 || !is_unit_name(slice, length) || slice[0] == '-' ||
            slice[stem - 1] == '-' || memmem(slice, length, "--", 2))
                return berth_error_set(err, EINVAL, "'%.*s' is not the name of a systemd slice", (int) length, slice);
        ret[0] = '\0';
        for (size_t i = 1; i <= stem; i++) {
                if (i < stem && slice[i] != '-')
                        continue;
                int n = snprintf(ret + used, capacity - used, "/%.*s%s", (int) i, slice, suffix);
                if (n < 0 || (size_t) n >= capacity - used)
                        return berth_error_set(err, ENAMETOOLONG, "the slice '%.*s' nests too deep", (int) length, slice);
                used += (size_t) n;
        }
        return 0;
}

struct scope {
        char slice[UNIT_MAX], unit[UNIT_MAX], path[CGROUP_PATH_MAX];
};

static int parse_scope(const char *path, struct scope *ret, struct berth_error *err) {
        const char *prefix = strchr(path, ':') + 1, *name = strchr(prefix, ':') + 1;
        size_t slice = (size_t) (prefix - path) - 1, prefix_length = (size_t) (name - prefix) - 1;
        char directory[CGROUP_PATH_MAX];
        int n = snprintf(ret->slice, sizeof(ret->slice), "%.*s", slice ? (int) slice : 12, slice ? path : "system.slice");
        if (n < 0 || (size_t) n >= sizeof(ret->slice) || !is_unit_name(name, strlen(name)) || (prefix_length && !is_unit_name(prefix, prefix_length)))
                return berth_error_set(err, EINVAL, "the cgroup path '%s' is not slice:prefix:name of systemd", path);
        n = snprintf(ret->unit, sizeof(ret->unit), "%.*s%s%s.scope", (int) prefix_length, prefix, prefix_length ? "-" : "", name);
        if (n < 0 || (size_t) n >= sizeof(ret->unit))
                return berth_error_set(err, ENAMETOOLONG, "the scope of the cgroup path '%s' has too long a name", path);
        int r = expand_slice(ret->slice, strlen(ret->slice), directory, sizeof(directory), err);
        if (r < 0)
                return r;
        n = snprintf(ret->path, sizeof(ret->path), "%s/%s", directory, ret->unit);
        if (n < 0 || (size_t) n >= sizeof(ret->path))
                return berth_error_set(err, ENAMETOOLONG, "the cgroup of the scope %s has too long a path", ret->unit);
        return 0;
}

int systemd_scope_path(const char *path, char ret[CGROUP_PATH_MAX], struct berth_error *err) {
        struct scope scope;
        int r = parse_scope(path, &scope, err);
        if (r == 0)
                strcpy(ret, scope.path);
        return r;
}

/* ---- properties: an array of (name, variant) ---- */

static void put_name(struct dbus_body *body, const char *name, const char *type) {
        dbus_put_bytes(body, 8, NULL, 0);
        dbus_put_string(body, name);
        dbus_put_signature(body, type);
}

static void put_text(struct dbus_body *body, const char *name, const char *value) {
        put_name(body, name, "s");
        dbus_put_string(body, value);
}

static void put_truth(struct dbus_body *body, const char *name, bool value) {
        put_name(body, name, "b");
        dbus_put_u32(body, value);
}

static void put_number(struct dbus_body *body, const char *name, uint64_t value) {
        put_name(body, name, "t");
        dbus_put_u64(body, value);
}

/* systemd's infinity is the largest number, as ours is any negative one. */
static void put_limit(struct dbus_body *body, const char *name, int64_t value) {
        if (value != CGROUP_UNSET)
                put_number(body, name, value < 0 ? UINT64_MAX : (uint64_t) value);
}

/* A list as in cpuset(7) as the bytes of a mask. */
static int put_mask(struct dbus_body *body, const char *name, const char *list, struct berth_error *err) {
        uint8_t mask[1024] = {0};
        size_t size = 0;
        for (const char *at = list; at && *at;) {
                char *end;
                unsigned long first = strtoul(at, &end, 10), last = first;
                if (end != at && *end == '-')
                        last = strtoul(at = end + 1, &end, 10);
                if (end == at || (*end != '\0' && *end != ',') || first > last || last >= sizeof(mask) * 8)
                        return berth_error_set(err, EINVAL, "'%s' is not a list of processors or memory nodes", list);
                for (unsigned long bit = first; bit <= last; bit++)
                        mask[bit / 8] |= (uint8_t) (1U << bit % 8);
                size = last / 8 + 1 > size ? last / 8 + 1 : size;
                at = *end ? end + 1 : end;
        }
        if (!list)
                return 0;
        put_name(body, name, "ay");
        size_t mark = dbus_begin_array(body, 1);
        dbus_put_bytes(body, 1, mask, size);
        dbus_end_array(body, mark, 1);
        return 0;
}

#define US_PER_S 1000000
#define DEFAULT_PERIOD_US 100000

static int put_limits(struct dbus_body *body, const struct cgroup_limits *limits, struct berth_error *err) {
        put_limit(body, "MemoryMax", limits->memory_limit);
        put_limit(body, "MemoryLow", limits->memory_reservation);
        if (limits->memory_swap != CGROUP_UNSET && limits->memory_swap < 0)
                put_number(body, "MemorySwapMax", UINT64_MAX);
        else if (limits->memory_swap != CGROUP_UNSET && limits->memory_limit >= 0 && limits->memory_swap >= limits->memory_limit)
                put_number(body, "MemorySwapMax", (uint64_t) (limits->memory_swap - limits->memory_limit));
        if (limits->pids_limit != CGROUP_UNSET)
                put_number(body, "TasksMax", limits->pids_limit <= 0 ? UINT64_MAX : (uint64_t) limits->pids_limit);
        if (limits->cpu_shares != CGROUP_UNSET && limits->cpu_shares != 0)
                put_number(body, "CPUWeight", (uint64_t) cgroup_v2_weight(limits->cpu_shares));
        int64_t period = limits->cpu_period > 0 ? limits->cpu_period : DEFAULT_PERIOD_US;
        if (limits->cpu_period > 0)
                put_number(body, "CPUQuotaPeriodUSec", (uint64_t) period);
        if (limits->cpu_quota != CGROUP_UNSET)
                put_number(body, "CPUQuotaPerSecUSec",
                           limits->cpu_quota <= 0 ? UINT64_MAX : (uint64_t) limits->cpu_quota * US_PER_S / (uint64_t) period);
        int r = put_mask(body, "AllowedCPUs", limits->cpuset_cpus, err);
        return r < 0 ? r : put_mask(body, "AllowedMemoryNodes", limits->cpuset_mems, err);
}

/* ---- calls ---- */

static int call_manager(struct dbus *dbus, const char *member, const char *signature, const struct dbus_body *body, uint32_t *ret_serial,
                        struct berth_error *err) {
        const struct dbus_call call = {
                .destination = "org.freedesktop.systemd1",
                .path = "/org/freedesktop/systemd1",
                .interface = "org.freedesktop.systemd1.Manager",
                .member = member,
                .signature = signature,
                .body = body,
        };
        return dbus_send(dbus, &call, ret_serial, err);
}

/* systemd's own words, and which of its errors it was. */
static int refused(const struct dbus_message *message, const char *member, const char *unit, struct berth_error *err) {
        size_t at = 0;
        const char *text = dbus_get_string(message, &at);
        int code = strcmp(message->error ? message->error : "", "org.freedesktop.systemd1.UnitExists") == 0 ? EEXIST : EREMOTEIO;
        return berth_error_set(err, code, "systemd refuses %s of %s: %.300s", member, unit, text ? text : "without a reason");
}

static bool ends_job(const struct dbus_message *message, const char *unit, const char **ret_result) {
        size_t at = 0;
        uint32_t id;
        if (message->type != DBUS_SIGNAL || !message->member || strcmp(message->member, "JobRemoved") != 0 || !dbus_get_u32(message, &at, &id) ||
            !dbus_get_string(message, &at))
                return false;
        const char *name = dbus_get_string(message, &at);
        *ret_result = dbus_get_string(message, &at);
        return name && *ret_result && strcmp(name, unit) == 0;
}

/* Waits for the reply to the call and, when it began a job, for the end of that. */
static int await(struct dbus *dbus, const char *member, const char *unit, uint32_t serial, bool job, struct berth_error *err) {
        bool replied = false, ended = !job;
        for (unsigned i = 0; i < MESSAGES_MAX && !(replied && ended); i++) {
                struct dbus_message message;
                const char *result;
                int r = dbus_receive(dbus, &message, err);
                if (r < 0)
                        return berth_error_prefix(err, "%s of %s", member, unit);
                if (message.reply_serial == serial && message.type == DBUS_ERROR)
                        return refused(&message, member, unit, err);
                if (message.reply_serial == serial && message.type == DBUS_REPLY)
                        replied = true;
                else if (job && ends_job(&message, unit, &result)) {
                        if (strcmp(result, "done") != 0)
                                return berth_error_set(err, EREMOTEIO, "systemd's job %s of %s ended as '%.32s'", member, unit, result);
                        ended = true;
                }
        }
        return replied && ended ? 0 : berth_error_set(err, ETIMEDOUT, "systemd does not end its job %s of %s", member, unit);
}

static int start_unit(struct dbus *dbus, const struct scope *scope, pid_t holder, const struct cgroup_limits *limits, struct berth_error *err) {
        struct dbus_body body = {.used = 0};
        char description[UNIT_MAX + 32];
        uint32_t serial;
        (void) snprintf(description, sizeof(description), "container %s", scope->unit);
        dbus_put_string(&body, scope->unit);
        dbus_put_string(&body, "replace");
        size_t properties = dbus_begin_array(&body, 8);
        put_text(&body, "Description", description);
        put_text(&body, "Slice", scope->slice);
        put_text(&body, "CollectMode", "inactive-or-failed");
        put_truth(&body, "Delegate", true);
        put_truth(&body, "DefaultDependencies", false);
        put_name(&body, "PIDs", "au");
        size_t pids = dbus_begin_array(&body, 4);
        dbus_put_u32(&body, (uint32_t) holder);
        dbus_end_array(&body, pids, 4);
        int r = limits ? put_limits(&body, limits, err) : 0;
        if (r < 0)
                return r;
        dbus_end_array(&body, properties, 8);
        dbus_end_array(&body, dbus_begin_array(&body, 8), 8); /* no further units */
        r = call_manager(dbus, "StartTransientUnit", "ssa(sv)a(sa(sv))", &body, &serial, err);
        return r < 0 ? r : await(dbus, "StartTransientUnit", scope->unit, serial, true, err);
}

static int stop_unit(struct dbus *dbus, const char *unit, struct berth_error *err) {
        struct dbus_body body = {.used = 0};
        uint32_t serial;
        dbus_put_string(&body, unit);
        dbus_put_string(&body, "replace");
        int r = call_manager(dbus, "StopUnit", "ss", &body, &serial, err);
        return r < 0 ? r : await(dbus, "StopUnit", unit, serial, true, err);
}

static bool has_processes(const struct cgroup_layout *layout, const struct scope *scope) {
        struct cgroup cgroup = {.made = 0};
        size_t n = 0;
        strcpy(cgroup.path, scope->path);
        return cgroup_processes(layout, &cgroup, NULL, 0, &n, NULL) == 0 && n > 0;
}

/* A process that does nothing but be there; it keeps nothing of ours open and ends with us. */
static pid_t fork_holder(void) {
        pid_t parent = getpid(), pid = fork();
        if (pid != 0)
                return pid;
        (void) sys_close_range(0, ~0U, 0);
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(0);
        for (;;)
                (void) pause();
}

void systemd_scope_release(struct cgroup *cgroup) {
        if (cgroup->holder <= 0)
                return;
        (void) kill(cgroup->holder, SIGKILL);
        while (waitpid(cgroup->holder, NULL, 0) < 0 && errno == EINTR)
                continue;
        cgroup->holder = 0;
}

int systemd_scope_start(const struct cgroup_layout *layout, const char *path, const struct cgroup_limits *limits, struct cgroup *ret,
                        struct berth_error *err) {
        struct cgroup cgroup = {.made = 0};
        struct scope scope;
        _cleanup_dbus_ struct dbus *dbus = NULL;
        if (layout->n != 1 || layout->unified_index != 0)
                return berth_error_set(err, EOPNOTSUPP, "the cgroup driver systemd needs a host with nothing but cgroup v2; use cgroupfs");
        int r = parse_scope(path, &scope, err);
        if (r == 0)
                r = dbus_open(SYSTEMD_SOCKET, &dbus, err);
        if (r < 0)
                return r;
        strcpy(cgroup.path, scope.path);
        cgroup.holder = fork_holder();
        if (cgroup.holder < 0)
                return berth_error_set(err, errno, "make a process for the scope %s", scope.unit);
        r = start_unit(dbus, &scope, cgroup.holder, limits, err);
        if (r == -EEXIST && !has_processes(layout, &scope)) {
                /* What is left of an earlier one that systemd has not forgotten yet. */
                (void) stop_unit(dbus, scope.unit, NULL);
                r = start_unit(dbus, &scope, cgroup.holder, limits, err);
        }
        if (r < 0) {
                systemd_scope_release(&cgroup);
                return r;
        }
        *ret = cgroup;
        return 0;
}

bool systemd_scope_is(const struct cgroup_layout *layout, const struct cgroup *cgroup) {
        const char *unit = strrchr(cgroup->path, '/'), *end = strrchr(cgroup->path, '.');
        return layout->n == 1 && layout->unified_index == 0 && unit && end && strcmp(end, ".scope") == 0 && unit - cgroup->path > 6 &&
               strncmp(unit - 6, ".slice", 6) == 0 && access(SYSTEMD_SOCKET, F_OK) == 0;
}

int systemd_scope_update(const struct cgroup *cgroup, const struct cgroup_limits *limits, struct berth_error *err) {
        const char *unit = strrchr(cgroup->path, '/') + 1;
        _cleanup_dbus_ struct dbus *dbus = NULL;
        struct dbus_body body = {.used = 0};
        uint32_t serial;
        dbus_put_string(&body, unit);
        dbus_put_u32(&body, true); /* until the next boot only */
        size_t properties = dbus_begin_array(&body, 8), before = body.used;
        int r = put_limits(&body, limits, err);
        if (r < 0 || body.used == before)
                return r;
        dbus_end_array(&body, properties, 8);
        r = dbus_open(SYSTEMD_SOCKET, &dbus, err);
        if (r == 0)
                r = call_manager(dbus, "SetUnitProperties", "sba(sv)", &body, &serial, err);
        return r < 0 ? r : await(dbus, "SetUnitProperties", unit, serial, false, err);
}
