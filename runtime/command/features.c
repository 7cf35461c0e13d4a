/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>

#include "command.h"
#include "spec.h"

/* @see runtime-spec features.md: what is understood, whether or not this host can do it. */
int command_features(const struct command *command, int argc, char **argv, struct berth_error *err) {
        (void) command;
        (void) argv;
        if (argc != 1)
                return command_usage(err, "features");

        json_t *capabilities = json_array();
        for (int i = 0; i <= CAP_LAST_CAP; i++) {
                const char *name = spec_capability_name(i);
                if (name)
                        (void) json_array_append_new(capabilities, json_string(name));
        }
        json_t *options = json_array();
        const char *word;
        for (size_t i = 0; (word = spec_mount_word_at(i)); i++)
                (void) json_array_append_new(options, json_string(word));
        json_t *value = json_pack(
                "{s:s, s:s, s:[], s:o, s:{s:[s,s,s,s,s,s], s:o, s:{s:b, s:b, s:b, s:b, s:b}, s:{s:b, s:[s,s,s,s,s,s,s], s:[s,s,s,s,s,s,s]}, "
                "s:{s:b}, s:{s:b}, s:{s:{s:b}}}}",
                "ociVersionMin", "1.0.0", "ociVersionMax", COMMAND_OCI_VERSION, "hooks", "mountOptions", options, "linux", "namespaces", "cgroup",
                "ipc", "mount", "network", "pid", "uts", "capabilities", capabilities, "cgroup", "v1", 1, "v2", 1, "systemd", 0, "systemdUser", 0,
                "rdma", 0, "seccomp", "enabled", 1, "actions", "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
                "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP", "operators", "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ",
                "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", "apparmor", "enabled", 0, "selinux", "enabled", 0, "mountExtensions", "idmap",
                "enabled", 0);
        int r = command_print(value, err);
        json_decref(value);
        return r < 0 ? 1 : 0;
}
