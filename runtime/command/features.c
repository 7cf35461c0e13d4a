/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <seccomp.h>
#include <stdio.h>

#include "command.h"
#include "seccomp-compile.h"
#include "spec.h"

static const char *const namespaces[] = {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"};

static const char *features_namespace_at(size_t index) {
        return index < sizeof namespaces / sizeof *namespaces ? namespaces[index] : NULL;
}

static json_t *features_list(const char *(*at)(size_t index)) {
        json_t *list = json_array();
        const char *word;

        for (size_t i = 0; (word = at(i)); i++)
                (void) json_array_append_new(list, json_string(word));
        return list;
}

static json_t *features_capabilities(void) {
        json_t *list = json_array();

        for (int i = 0; i <= CAP_LAST_CAP; i++)
                if (spec_capability_name(i))
                        (void) json_array_append_new(list, json_string(spec_capability_name(i)));
        return list;
}

static json_t *features_seccomp(void) {
        return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "enabled", 1, "actions", features_list(seccomp_action_at), "operators",
                         features_list(seccomp_operator_at), "archs", features_list(seccomp_architecture_at), "knownFlags",
                         features_list(spec_filter_flag_at), "supportedFlags", features_list(spec_filter_flag_at));
}

static json_t *features_linux(void) {
        return json_pack("{s:o, s:o, s:{s:b, s:b, s:b, s:b, s:b}, s:o, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:o, s:o}, s:{s:{s:b}}, s:{s:b}}", /**/
                         "namespaces", features_list(features_namespace_at), "capabilities", features_capabilities(),                   /**/
                         "cgroup", "v1", 1, "v2", 1, "systemd", 1, "systemdUser", 0, "rdma", 1, "seccomp", features_seccomp(),          /**/
                         "apparmor", "enabled", 1, "selinux", "enabled", 1, "intelRdt", "enabled", 0,                                   /**/
                         "memoryPolicy", "modes", features_list(spec_memory_mode_at), "flags", features_list(spec_memory_flag_at),      /**/
                         "mountExtensions", "idmap", "enabled", 1, "netDevices", "enabled", 1);
}

static json_t *features_annotations(void) {
        const struct scmp_version *library = seccomp_version();
        char version[64];

        (void) snprintf(version, sizeof version, "%u.%u.%u", library->major, library->minor, library->micro);
        return json_pack("{s:s, s:s}", "io.github.seccomp.libseccomp.version", version, "io.berth.runtime.version", BERTH_VERSION);
}

/* @see runtime-spec features.md: what is understood, whether or not this host can do it. */
int command_features(const struct command *command, int argc, char **argv, struct berth_error *err) {
        const struct syntax syntax = {.verb = "features", .arguments = ""};
        struct arguments arguments;

        (void) command;
        int r = options_parse(&syntax, argc, argv, &arguments, err);
        if (r != 0)
                return command_parsed(r);
        json_t *value = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:[]}", "ociVersionMin", "1.0.0", "ociVersionMax", COMMAND_OCI_VERSION, "hooks",
                                  features_list(spec_hook_name), "mountOptions", features_list(spec_mount_word_at), "linux", features_linux(),
                                  "annotations", features_annotations(), "potentiallyUnsafeConfigAnnotations");
        r = command_print(value, JSON_INDENT(2), err);
        json_decref(value);
        return r < 0 ? 1 : 0;
}
