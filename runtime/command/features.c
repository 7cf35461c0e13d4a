/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <seccomp.h>
#include <stdio.h>

#include "command.h"
#include "spec.h"

#define N(list) (sizeof(list) / sizeof *(list))

static const char *const hooks[] = {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};
static const char *const namespaces[] = {"cgroup", "ipc", "mount", "network", "pid", "uts"};
static const char *const actions[] = {"SCMP_ACT_ALLOW",       "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS",
                                      "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",   "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"};
static const char *const operators[] = {"SCMP_CMP_EQ", "SCMP_CMP_GE",        "SCMP_CMP_GT", "SCMP_CMP_LE",
                                        "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"};
static const char *const flags[] = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"};

static json_t *features_list(const char *const *words, size_t n) {
        json_t *list = json_array();

        for (size_t i = 0; i < n; i++)
                (void) json_array_append_new(list, json_string(words[i]));
        return list;
}

static json_t *features_capabilities(void) {
        json_t *list = json_array();

        for (int i = 0; i <= CAP_LAST_CAP; i++)
                if (spec_capability_name(i))
                        (void) json_array_append_new(list, json_string(spec_capability_name(i)));
        return list;
}

static json_t *features_mount_options(void) {
        json_t *list = json_array();
        const char *word;

        for (size_t i = 0; (word = spec_mount_word_at(i)); i++)
                (void) json_array_append_new(list, json_string(word));
        return list;
}

static json_t *features_linux(void) {
        return json_pack("{s:o, s:o, s:{s:b, s:b, s:b, s:b, s:b}, s:{s:b, s:o, s:o, s:o, s:o}, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:{s:b}}, s:{s:b}}",
                         "namespaces", features_list(namespaces, N(namespaces)), "capabilities", features_capabilities(), /**/
                         "cgroup", "v1", 1, "v2", 1, "systemd", 0, "systemdUser", 0, "rdma", 0,                           /**/
                         "seccomp", "enabled", 1, "actions", features_list(actions, N(actions)), "operators", features_list(operators, N(operators)),
                         "knownFlags", features_list(flags, N(flags)), "supportedFlags", features_list(flags, N(flags)), /**/
                         "apparmor", "enabled", 0, "selinux", "enabled", 0, "intelRdt", "enabled", 0,                    /**/
                         "mountExtensions", "idmap", "enabled", 1, "netDevices", "enabled", 0);
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
                                  features_list(hooks, N(hooks)), "mountOptions", features_mount_options(), "linux", features_linux(), "annotations",
                                  features_annotations(), "potentiallyUnsafeConfigAnnotations");
        r = command_print(value, JSON_INDENT(2), err);
        json_decref(value);
        return r < 0 ? 1 : 0;
}
