/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

#include "plan-internal.h"
#include "spec.h"

#define SPEC_ID_MAX ((int64_t) UINT32_MAX - 1) /* (uid_t) -1 means "leave alone" to the kernel */
#define SPEC_LABEL_MAX 2048

static const char *const spec_capabilities[] = {
        [CAP_CHOWN] = "CAP_CHOWN",
        [CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
        [CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
        [CAP_FOWNER] = "CAP_FOWNER",
        [CAP_FSETID] = "CAP_FSETID",
        [CAP_KILL] = "CAP_KILL",
        [CAP_SETGID] = "CAP_SETGID",
        [CAP_SETUID] = "CAP_SETUID",
        [CAP_SETPCAP] = "CAP_SETPCAP",
        [CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
        [CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
        [CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
        [CAP_NET_ADMIN] = "CAP_NET_ADMIN",
        [CAP_NET_RAW] = "CAP_NET_RAW",
        [CAP_IPC_LOCK] = "CAP_IPC_LOCK",
        [CAP_IPC_OWNER] = "CAP_IPC_OWNER",
        [CAP_SYS_MODULE] = "CAP_SYS_MODULE",
        [CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
        [CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
        [CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
        [CAP_SYS_PACCT] = "CAP_SYS_PACCT",
        [CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
        [CAP_SYS_BOOT] = "CAP_SYS_BOOT",
        [CAP_SYS_NICE] = "CAP_SYS_NICE",
        [CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
        [CAP_SYS_TIME] = "CAP_SYS_TIME",
        [CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
        [CAP_MKNOD] = "CAP_MKNOD",
        [CAP_LEASE] = "CAP_LEASE",
        [CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
        [CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
        [CAP_SETFCAP] = "CAP_SETFCAP",
        [CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
        [CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
        [CAP_SYSLOG] = "CAP_SYSLOG",
        [CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
        [CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
        [CAP_AUDIT_READ] = "CAP_AUDIT_READ",
        [CAP_PERFMON] = "CAP_PERFMON",
        [CAP_BPF] = "CAP_BPF",
        [CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

static const struct {
        const char *name;
        uint32_t resource;
} spec_rlimits[] = {
        {"RLIMIT_CPU", RLIMIT_CPU},           {"RLIMIT_FSIZE", RLIMIT_FSIZE},
        {"RLIMIT_DATA", RLIMIT_DATA},         {"RLIMIT_STACK", RLIMIT_STACK},
        {"RLIMIT_CORE", RLIMIT_CORE},         {"RLIMIT_RSS", RLIMIT_RSS},
        {"RLIMIT_NPROC", RLIMIT_NPROC},       {"RLIMIT_NOFILE", RLIMIT_NOFILE},
        {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},   {"RLIMIT_AS", RLIMIT_AS},
        {"RLIMIT_LOCKS", RLIMIT_LOCKS},       {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
        {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE}, {"RLIMIT_NICE", RLIMIT_NICE},
        {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},     {"RLIMIT_RTTIME", RLIMIT_RTTIME},
};

static int spec_capability(const char *name) {
        for (size_t i = 0; i < sizeof spec_capabilities / sizeof *spec_capabilities; i++)
                if (spec_capabilities[i] && strcmp(spec_capabilities[i], name) == 0)
                        return (int) i;
        return -1;
}

const char *spec_capability_name(int number) {
        return number >= 0 && (size_t) number < sizeof spec_capabilities / sizeof *spec_capabilities ? spec_capabilities[number] : NULL;
}

static int spec_strings(const struct json_at *at, const char *key, uint16_t tag, struct tlv_writer *writer, size_t *ret_n, struct berth_error *err) {
        struct json_at list;
        int r = json_list_member(at, key, &list, ret_n, err);

        for (size_t i = 0; r == 0 && i < *ret_n; i++) {
                struct json_at item = json_item(&list, i);
                const char *text = NULL;
                r = json_text(&item, &text, err);
                if (r == 0)
                        tlv_put_string(writer, tag, text);
        }
        return r;
}

static int spec_user(const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at user, list;
        int64_t uid = 0, gid = 0, mask = -1;
        uint32_t groups[1024];
        size_t n = 0;

        if (!json_member(process, "user", &user))
                return 0;
        int r = json_check_object(&user, err);
        if (r == 0)
                r = json_number_member(&user, "uid", 0, SPEC_ID_MAX, &uid, err);
        if (r == 0)
                r = json_number_member(&user, "gid", 0, SPEC_ID_MAX, &gid, err);
        if (r == 0)
                r = json_number_member(&user, "umask", 0, 0777, &mask, err);
        if (r == 0)
                r = json_list_member(&user, "additionalGids", &list, &n, err);
        if (r == 0 && n > sizeof groups / sizeof *groups)
                r = json_fail(&list, err, "more than %zu groups", sizeof groups / sizeof *groups);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                int64_t group = 0;
                r = json_number(&item, 0, SPEC_ID_MAX, &group, err);
                groups[i] = (uint32_t) group;
        }
        if (r < 0)
                return r;

        uint32_t ids[2] = {(uint32_t) uid, (uint32_t) gid}, umask = (uint32_t) mask;
        tlv_put(writer, PLAN_USER, ids, sizeof ids);
        if (n > 0)
                tlv_put(writer, PLAN_GROUPS, groups, n * sizeof *groups);
        if (mask >= 0)
                tlv_put(writer, PLAN_UMASK, &umask, sizeof umask);
        return 0;
}

static int spec_capability_sets(const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        static const char *const names[PLAN_CAPABILITY_SETS] = {"bounding", "effective", "inheritable", "permitted", "ambient"};
        uint64_t sets[PLAN_CAPABILITY_SETS] = {0};
        struct json_at capabilities, list;
        size_t n;

        if (!json_member(process, "capabilities", &capabilities))
                return 0;
        int r = json_check_object(&capabilities, err);
        for (size_t set = 0; r == 0 && set < PLAN_CAPABILITY_SETS; set++) {
                r = json_list_member(&capabilities, names[set], &list, &n, err);
                for (size_t i = 0; r == 0 && i < n; i++) {
                        struct json_at item = json_item(&list, i);
                        const char *name = NULL;
                        r = json_text(&item, &name, err);
                        if (r < 0)
                                break;
                        int number = spec_capability(name);
                        if (number < 0)
                                return json_fail(&item, err, "unknown capability '%s'", name);
                        sets[set] |= UINT64_C(1) << number;
                }
        }
        if (r == 0)
                tlv_put(writer, PLAN_CAPABILITIES, sets, sizeof sets);
        return r;
}

/* Limits are unsigned 64-bit numbers; jansson's integers are signed, and producers write "unlimited" in both ways. */
static int spec_limit(const struct json_at *rlimit, const char *key, uint64_t *ret, struct berth_error *err) {
        struct json_at at;

        int r = json_required(rlimit, key, &at, err);
        if (r < 0)
                return r;
        if (json_large(&at, ret)) {
                *ret = RLIM_INFINITY;
                return 0;
        }
        int64_t value = 0;
        r = json_number(&at, -1, INT64_MAX, &value, err);
        if (r == 0)
                *ret = (uint64_t) value;
        return r;
}

static int spec_process_rlimits(const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list;
        uint64_t seen = 0;
        size_t n;

        int r = json_list_member(process, "rlimits", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i), type;
                struct plan_rlimit rlimit = {0};
                const char *name = "";
                size_t at = 0, known = sizeof spec_rlimits / sizeof *spec_rlimits;

                r = json_required(&item, "type", &type, err);
                if (r == 0)
                        r = json_text(&type, &name, err);
                if (r < 0)
                        return r;
                while (at < known && strcmp(spec_rlimits[at].name, name) != 0)
                        at++;
                if (at == known)
                        return json_fail(&type, err, "unknown resource limit '%s'", name);
                rlimit.resource = spec_rlimits[at].resource;
                if (seen >> rlimit.resource & 1)
                        return json_fail(&type, err, "'%s' is given twice", name);
                seen |= UINT64_C(1) << rlimit.resource;
                r = spec_limit(&item, "soft", &rlimit.soft, err);
                if (r == 0)
                        r = spec_limit(&item, "hard", &rlimit.hard, err);
                if (r == 0 && rlimit.soft > rlimit.hard)
                        r = json_fail(&item, err, "the soft limit is above the hard one");
                if (r == 0)
                        tlv_put(writer, PLAN_RLIMIT, &rlimit, sizeof rlimit);
        }
        return r;
}

static int spec_terminal(const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        int64_t rows = 0, columns = 0;
        struct json_at size;
        bool terminal = false;

        int r = json_truth_member(process, "terminal", &terminal, err);
        if (r == 0 && json_member(process, "consoleSize", &size)) {
                r = json_check_object(&size, err);
                if (r == 0)
                        r = json_number_member(&size, "height", 0, UINT16_MAX, &rows, err);
                if (r == 0)
                        r = json_number_member(&size, "width", 0, UINT16_MAX, &columns, err);
        }
        if (r == 0 && terminal) {
                uint16_t numbers[2] = {(uint16_t) rows, (uint16_t) columns};
                tlv_put(writer, PLAN_TERMINAL, numbers, sizeof numbers);
        }
        return r;
}

/* Names of a security module's; "" is as good as none. */
static int spec_label(const struct json_at *process, const char *key, uint16_t tag, struct tlv_writer *writer, struct berth_error *err) {
        const char *label = "";
        struct json_at at;

        int r = json_text_member(process, key, &label, err);
        if (r < 0 || *label == '\0')
                return r;
        if (strlen(label) > SPEC_LABEL_MAX) {
                (void) json_member(process, key, &at);
                return json_fail(&at, err, "is longer than %d bytes", SPEC_LABEL_MAX);
        }
        tlv_put_string(writer, tag, label);
        return 0;
}

static int spec_cwd(const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at at;
        const char *cwd = "";

        int r = json_required(process, "cwd", &at, err);
        if (r == 0)
                r = json_text(&at, &cwd, err);
        if (r < 0)
                return r;
        if (cwd[0] != '/')
                return json_fail(&at, err, "'%s' is not an absolute path", cwd);
        tlv_put_string(writer, PLAN_CWD, cwd);
        return 0;
}

int spec_write_process(const struct json_at *at, bool exec, struct tlv_writer *writer, struct berth_error *err) {
        size_t n_arguments = 0, n_environment = 0;
        bool no_new_privileges = false;
        struct json_at member;

        int r = spec_terminal(at, writer, err);
        if (r == 0)
                r = spec_cwd(at, writer, err);
        if (r == 0)
                r = spec_strings(at, "args", PLAN_ARGUMENT, writer, &n_arguments, err);
        if (r == 0 && n_arguments == 0) {
                (void) json_member(at, "args", &member);
                r = json_fail(&member, err, "must name a program");
        }
        if (r == 0)
                r = spec_strings(at, "env", PLAN_ENVIRONMENT, writer, &n_environment, err);
        if (r == 0)
                r = spec_user(at, writer, err);
        if (r == 0)
                r = spec_capability_sets(at, writer, err);
        if (r == 0)
                r = spec_process_rlimits(at, writer, err);
        if (r == 0)
                r = spec_write_schedule(at, exec, writer, err);
        if (r == 0)
                r = spec_label(at, "apparmorProfile", PLAN_APPARMOR_PROFILE, writer, err);
        if (r == 0)
                r = spec_label(at, "selinuxLabel", PLAN_SELINUX_LABEL, writer, err);
        if (r == 0)
                r = json_truth_member(at, "noNewPrivileges", &no_new_privileges, err);
        if (r == 0 && no_new_privileges)
                tlv_put(writer, PLAN_NO_NEW_PRIVILEGES, NULL, 0);
        if (r == 0 && json_member(at, "oomScoreAdj", &member)) {
                int64_t score = 0;
                r = json_number(&member, -1000, 1000, &score, err);
                int32_t value = (int32_t) score;
                if (r == 0)
                        tlv_put(writer, PLAN_OOM_SCORE, &value, sizeof value);
        }
        return r;
}
