/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../check.h"
#include "plan-compile.h"
#include "plan-internal.h"
#include "plan-tlv.h"
#include "seccomp-compile.h"

/* Plans: from JSON to the decoded structs, and what happens to damaged ones. Built with sanitizers. */

static const char process_json[] =
        "{\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},\"user\":{\"uid\":1,\"gid\":2,\"additionalGids\":[3,4],"
        "\"umask\":18},\"args\":[\"a\",\"b c\"],\"env\":[\"PATH=/bin\"],\"cwd\":\"/w\",\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],"
        "\"ambient\":[\"CAP_BPF\"]},\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":18446744073709551615,\"hard\":-1}],"
        "\"noNewPrivileges\":true,\"oomScoreAdj\":-5,\"apparmorProfile\":\"\",\"selinuxLabel\":\"a:b:c\","
        "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"flags\":[\"SCHED_FLAG_RECLAIM\"],\"runtime\":1,\"deadline\":2,\"period\":3},"
        "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":3},\"execCPUAffinity\":{\"final\":\"0\"}}";

static const char linux_json[] =
        "{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"/n\"},"
        "{\"type\":\"user\"},{\"type\":\"time\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1},"
        "{\"containerID\":1,\"hostID\":2000,\"size\":9}],\"gidMappings\":[{\"containerID\":0,\"hostID\":3000,\"size\":4294964295}],"
        "\"timeOffsets\":{\"boottime\":{\"secs\":-3,\"nanosecs\":4}},\"cgroupsPath\":\"/berth/x\","
        "\"maskedPaths\":[\"/m\"],\"readonlyPaths\":[\"/r1\",\"/r2\"],\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"},"
        "\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,\"fileMode\":438}],"
        "\"resources\":{\"memory\":{\"limit\":1048576,\"swap\":-1,\"disableOOMKiller\":false},\"cpu\":{\"shares\":512,\"cpus\":\"0-1\"},"
        "\"pids\":{\"limit\":10},\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],\"unified\":{\"memory.high\":\"5\"}},"
        "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\"]},\"personality\":{\"domain\":\"LINUX32\"},"
        "\"mountLabel\":\"u:r:t:s0:c1,c2\"}";

static const char keeper_json[] =
        "{\"id\":\"abc\",\"directory\":\"/run/x\",\"stdin\":{\"open\":true,\"once\":true},"
        "\"log\":{\"driver\":\"json-file\",\"path\":\"/l\",\"maxBytes\":10,\"maxFiles\":3},"
        "\"rootfs\":{\"kind\":\"overlay\",\"path\":\"/p\",\"lower\":[\"/top\",\"/bottom\"],\"upper\":\"/u\",\"work\":\"/w\"},"
        "\"network\":{\"kind\":\"veth\",\"hostLink\":\"bth1\",\"bridge\":\"berth0\",\"link\":\"eth0\",\"mac\":\"02:42:ac:11:00:02\",\"mtu\":1500,"
        "\"addresses\":[\"172.17.0.2/16\"],\"routes\":[{\"to\":\"0.0.0.0/0\",\"via\":\"172.17.0.1\",\"link\":\"eth0\"}]}}";

static const char mounts_json[] =
        "[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noatime\",\"hidepid=2\"]},"
        "{\"destination\":\"/b\",\"source\":\"/s\",\"options\":[\"rbind\",\"rro\",\"rslave\"]}]";

static int compile(const char *config, const char *keeper, struct berth_error *err) {
        const struct plan_sources sources = {
                .config = config, .config_size = strlen(config), .keeper = keeper, .keeper_size = keeper ? strlen(keeper) : 0};
        int fd = -1;
        int r = plan_compile(&sources, &fd, err);
        return r < 0 ? r : fd;
}

static const char *whole(char *config, size_t capacity) {
        (void) snprintf(
                config, capacity,
                "{\"ociVersion\":\"1.3.0\",\"hostname\":\"h\",\"root\":{\"path\":\"x\",\"readonly\":true},\"process\":%s,\"mounts\":%s,\"linux\":%s}",
                process_json, mounts_json, linux_json);
        return config;
}

static int compile_whole(struct berth_error *err) {
        char config[8192];
        return compile(whole(config, sizeof config), keeper_json, err);
}

static void test_process(const struct plan_process *process) {
        check(process->terminal && process->rows == 24 && process->columns == 80, "the terminal and its size arrive");
        check(strcmp(process->argv[0], "a") == 0 && strcmp(process->argv[1], "b c") == 0 && !process->argv[2], "the arguments arrive in order");
        check(strcmp(process->envp[0], "PATH=/bin") == 0 && !process->envp[1], "the environment arrives");
        check(process->uid == 1 && process->gid == 2 && process->umask == 18, "user, group and umask arrive");
        check(process->n_groups == 2 && process->groups[1] == 4, "additional groups arrive");
        check(process->capabilities[PLAN_BOUNDING] == 1 && process->capabilities[PLAN_AMBIENT] == UINT64_C(1) << 39, "capabilities are bits");
        check(process->n_rlimits == 1 && process->rlimits[0].soft == RLIM_INFINITY && process->rlimits[0].hard == RLIM_INFINITY,
              "unlimited is understood in both spellings");
        check(!process->apparmor && strcmp(process->selinux, "a:b:c") == 0, "labels arrive, and an empty one is none");
        check(process->scheduler.policy == 6 && process->scheduler.flags == 2 && process->scheduler.period == 3, "the scheduler's words are numbers");
        check(process->io_priority == (2U << 13 | 3), "class and level of I/O are one number");
        check(!process->affinity_final, "affinity is for execs");
        check(process->memory_policy == 2 && process->memory_policy_flags == 1U << 15 && strcmp(process->memory_nodes, "0") == 0,
              "the memory policy arrives");
        check(process->has_personality && process->personality == 8, "the personality arrives");
        check(process->no_new_privileges && process->has_oom_score && process->oom_score == -5, "no_new_privs and the OOM score arrive");
}

static void test_container(const struct plan_container *container) {
        const struct cgroup_limits *limits = &container->limits;
        check(container->root_readonly && strcmp(container->hostname, "h") == 0, "root and host name arrive");
        check(container->n_namespaces == 5 && strcmp(plan_namespace_of(container, CLONE_NEWNET)->path, "/n") == 0,
              "namespaces and their paths arrive");
        check(!plan_namespace_of(container, CLONE_NEWIPC), "a namespace that is not asked for is the host's");
        check(container->n_id_maps == 3 && container->id_maps[1].inside == 1 && container->id_maps[1].outside == 2000 &&
                      container->id_maps[2].group == 1 && container->id_maps[2].size == 4294964295,
              "id maps arrive, users first");
        check(container->n_time_offsets == 1 && container->time_offsets[0].clock == CLOCK_BOOTTIME && container->time_offsets[0].seconds == -3,
              "time offsets arrive");
        check(container->n_mounts == 2 && container->mounts[1].flags == (PLAN_MOUNT_BIND | PLAN_MOUNT_BIND_RECURSIVE),
              "a bind is one by its options");
        check(container->mounts[0].attr_set != 0 && container->mounts[0].attr_clear != 0, "an access-time attribute clears its group");
        check(container->mounts[0].n_options == 1 && strcmp(container->mounts[0].options[0], "hidepid=2") == 0, "other words are the file system's");
        check(strcmp(container->mount_label, "u:r:t:s0:c1,c2") == 0, "the label of mounts arrives");
        check(container->n_readonly_paths == 2 && container->n_masked_paths == 1, "paths arrive");
        check(strcmp(container->sysctls[0].key, "net/ipv4/ip_forward") == 0, "a sysctl's name is a path");
        check(container->devices[0].mode == (S_IFCHR | 0666) && container->devices[0].minor == 229, "devices arrive");
        check(limits->memory_limit == 1048576 && limits->memory_swap == -1 && limits->cpu_quota == CGROUP_UNSET, "limits are set or unset");
        check(limits->memory_disable_oom_killer == CGROUP_UNSET, "what is false is not asked for");
        check(limits->n_device_rules == 11 && !limits->device_rules[0].allow && limits->device_rules[1].allow, "default devices follow the rules");
        check(limits->n_unified == 1 && strcmp(limits->unified[1], "5") == 0, "files of the unified hierarchy arrive");
}

static void test_keeper(const struct keeper_plan *keeper) {
        check(strcmp(keeper->id, "abc") == 0 && keeper->open_stdin && keeper->stdin_once, "id and stdin arrive");
        check(keeper->log == PLAN_LOG_JSON_FILE && keeper->log_max_bytes == 10 && keeper->log_max_files == 3, "the log arrives");
        check(keeper->rootfs == PLAN_ROOTFS_OVERLAY && keeper->n_lower == 2 && strcmp(keeper->lower[0], "/top") == 0, "layers arrive topmost first");
        check(keeper->network == PLAN_NETWORK_VETH && strcmp(keeper->link, "eth0") == 0 && keeper->mac[5] == 2, "the link arrives");
        check(keeper->n_addresses == 1 && keeper->addresses[0].prefix == 16 && keeper->addresses[0].bytes[0] == 172, "addresses arrive");
        check(keeper->n_routes == 1 && keeper->routes[0].to.prefix == 0 && keeper->routes[0].via.bytes[3] == 1, "routes arrive");
}

static void test_complaint(const char *config, const char *keeper, const char *expected) {
        struct berth_error err = {0};
        int fd = compile(config, keeper, &err);
        check(fd < 0 && strcmp(err.text, expected) == 0, "'%s' is said (and was: '%s')", expected, err.text);
        if (fd >= 0)
                (void) close(fd);
}

/* Of the part `linux`, in a container with a mount namespace and one of this type. */
static void test_namespace_complaint(const char *type, const char *rest, const char *expected) {
        char config[1024];
        (void) snprintf(config, sizeof config,
                        "{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/"
                        "\",\"args\":[\"a\"]},\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"%s\"}]%s}}",
                        type, rest);
        test_complaint(config, keeper_json, expected);
}

#define ONE_MAP "[{\"containerID\":0,\"hostID\":7,\"size\":2}]"

static void test_namespace_complaints(void) {
        test_namespace_complaint("user", "", "linux.uidMappings: is missing, and the new user namespace needs it");
        test_namespace_complaint("uts", ",\"uidMappings\":" ONE_MAP ",\"gidMappings\":" ONE_MAP, "linux.uidMappings: needs a user namespace");
        test_namespace_complaint("user", ",\"uidMappings\":" ONE_MAP, "linux.uidMappings: needs gidMappings beside it");
        test_namespace_complaint("user",
                                 ",\"gidMappings\":" ONE_MAP ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":3},"
                                 "{\"containerID\":4,\"hostID\":3,\"size\":1}]",
                                 "linux.uidMappings[1]: overlaps line 0");
        test_namespace_complaint("user", ",\"gidMappings\":" ONE_MAP ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":0}]",
                                 "linux.uidMappings[0].size: 0 is not between 1 and 4294967294");
        test_namespace_complaint("user", ",\"gidMappings\":" ONE_MAP ",\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":4294967290}]",
                                 "linux.uidMappings[0].size: 4294967290 is not between 1 and 4294967286");
        test_namespace_complaint("user", ",\"uidMappings\":" ONE_MAP ",\"gidMappings\":[{\"containerID\":1,\"hostID\":1,\"size\":1}]",
                                 "linux.gidMappings: must map id 0 of the container");
        test_namespace_complaint("uts", ",\"timeOffsets\":{\"monotonic\":{\"secs\":1}}", "linux.timeOffsets: needs a new time namespace");
        test_namespace_complaint("time", ",\"timeOffsets\":{\"realtime\":{\"secs\":1}}",
                                 "linux.timeOffsets.realtime: unknown clock; a time namespace has monotonic and boottime");
        test_namespace_complaint("time", ",\"timeOffsets\":{\"monotonic\":{\"nanosecs\":1000000000}}",
                                 "linux.timeOffsets.monotonic.nanosecs: 1000000000 is not between 0 and 999999999");
}

/* A document of this version and nothing else; `expected` has the version in it. */
static void test_version(const char *version, const char *expected) {
        char config[128], complaint[256];

        (void) snprintf(config, sizeof config, "{\"ociVersion\":\"%s\"}", version);
        (void) snprintf(complaint, sizeof complaint, expected, version);
        test_complaint(config, keeper_json, complaint);
}

static void test_complaints(void) {
        static char deep[256], big[(4 << 20) + 2];

        test_complaint("{\"cwd\":\"/\",\"args\":[3]}", NULL, "args[0]: expected a string");
        test_complaint("{\"cwd\":\"/\",\"args\":[]}", NULL, "args: must name a program");
        test_complaint("{\"args\":[\"a\"]}", NULL, "cwd: is missing");
        test_complaint("{\"cwd\":\"x\",\"args\":[\"a\"]}", NULL, "cwd: 'x' is not an absolute path");
        test_complaint("{\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{\"uid\":4294967295}}", NULL,
                       "user.uid: 4294967295 is not between 0 and 4294967294");
        test_complaint("{\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{\"uid\":-1}}", NULL, "user.uid: -1 is not between 0 and 4294967294");
        test_complaint("{\"cwd\":\"/\",\"args\":[\"a\"],\"capabilities\":{\"bounding\":[\"CAP_X\"]}}", NULL,
                       "capabilities.bounding[0]: unknown capability 'CAP_X'");
        test_complaint("{\"cwd\":\"/\",\"args\":[\"a\"],\"apparmorProfile\":3}", NULL, "apparmorProfile: expected a string");
        test_complaint("{\"a\":1,\"a\":2}", NULL, "process: line 1, column 10: duplicate object key near '\"a\"'");
        test_complaint("[]", NULL, "process: expected an object");
        test_complaint("{\"a\":\"\\u0000\"}", NULL, "process: line 1, column 13: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"\\u0000\"'");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"process\":[]}", keeper_json, "process: expected an object");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},\"linux\":{\"seccomp\":{}}}", keeper_json,
                       "linux.seccomp: no compiled filter was given");
        test_complaint(
                "{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},\"linux\":{},\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}}",
                keeper_json, "hooks.prestart[0].path: 'x' is not an absolute path");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},\"linux\":{},\"hooks\":{\"poststart\":[{\"path\":\"/"
                       "x\",\"timeout\":0}]}}",
                       keeper_json, "hooks.poststart[0].timeout: 0 is not between 1 and 2147483647");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},\"linux\":{},\"hooks\":{\"prestop\":[]}}", keeper_json,
                       "hooks.prestop: unknown kind of hook");

        test_complaint("{}", keeper_json, "ociVersion: is missing");
        test_complaint("{\"ociVersion\":1}", keeper_json, "ociVersion: expected a string");
        static const char *const odd[] = {"", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.0 ", "v1.0.0", "1.0.x", "1.0.99999"};
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
                test_version(odd[i], "ociVersion: '%s' is not a version like 1.3.0");
        static const char *const unsupported[] = {"0.9.9", "1.0.0-rc5", "2.0.0", "2.0.0-rc1"};
        for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
                test_version(unsupported[i], "ociVersion: version '%s' is not supported; those from 1.0.0 on and below 2.0.0 are");
        static const char *const supported[] = {"1.0.0", "1.0.2-dev", "1.2.1+build.5", "1.99.0"};
        for (size_t i = 0; i < sizeof supported / sizeof *supported; i++)
                test_version(supported[i], "process: is missing");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"windows\":{\"layerFolders\":[]}}", keeper_json, "windows: is of another platform than Linux");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"vm\":{},\"zos\":null,\"solaris\":3}", keeper_json, "solaris: is of another platform than Linux");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"annotations\":{\"a\":1}}", keeper_json, "annotations.a: expected a string");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"annotations\":{\"\":\"\"}}", keeper_json, "annotations: has an empty key");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"annotations\":[]}", keeper_json, "annotations: expected an object");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"root\":\"/\"}", keeper_json, "root: expected an object");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":1}}", keeper_json, "root.path: expected a string");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},\"linux\":{\"intelRdt\":{}}}", keeper_json,
                       "linux.intelRdt: control of caches and memory bandwidth (resctrl) is not supported");
        test_complaint("{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/"
                       "\",\"args\":[\"a\"]},\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],\"mountLabel\":\"a\\\"b\"}}",
                       keeper_json, "linux.mountLabel: 'a\"b' has a quote, so it is no label of SELinux");

        memset(deep, '[', sizeof deep - 1);
        test_complaint(deep, NULL, "process: nested more than 64 levels deep");
        memset(big, ' ', sizeof big - 1);
        test_complaint(big, NULL, "process: larger than 4194304 bytes");
}

/* A sealed copy with some bytes changed; decoding must end well or with an error, and touch nothing outside (ASan sees to that). */
static int damaged_copy(const uint8_t *image, size_t size, size_t at, uint8_t value) {
        int fd = memfd_create("damaged", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (write(fd, image, size) != (ssize_t) size || (at < size && pwrite(fd, &value, 1, (off_t) at) != 1))
                abort();
        (void) fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
        return fd;
}

static void test_damage(int fd) {
        static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
        struct berth_error err = {0};
        struct plan *plan = NULL;
        unsigned refused = 0;
        struct stat st;

        if (fstat(fd, &st) < 0)
                abort();
        size_t size = (size_t) st.st_size;
        const uint8_t *image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        for (size_t at = 0; at < size; at++)
                for (size_t i = 0; i < sizeof values; i++) {
                        int copy = damaged_copy(image, size, at, values[i]);
                        if (plan_open(copy, &plan, &err) < 0)
                                refused++;
                        else
                                plan_close(plan);
                        (void) close(copy);
                }
        check(refused > size / 2, "damaged plans are refused (%u times)", refused);

        unsigned opened = 0;
        for (size_t shorter = 1; shorter < size; shorter++) {
                int copy = damaged_copy(image, shorter, SIZE_MAX, 0);
                opened += plan_open(copy, &plan, &err) == 0;
                (void) close(copy);
        }
        check(opened == 0, "a plan that was cut off is refused");
        (void) munmap((void *) (uintptr_t) image, size);
}

/* What a plan asks for and this shim cannot do is never dropped: the hostname becomes a record of a later version. */
static void test_unknown_record(int fd) {
        const struct tlv_header hostname = {.tag = PLAN_HOSTNAME, .size = sizeof "h"};
        struct berth_error err = {0};
        struct plan *plan = NULL;
        uint8_t image[16384];

        ssize_t size = pread(fd, image, sizeof image, 0);
        const uint8_t *record = size > 0 ? memmem(image, (size_t) size, &hostname, sizeof hostname) : NULL;
        check(record != NULL, "the plan has a hostname");
        if (!record)
                return;
        int copy = damaged_copy(image, (size_t) size, (size_t) (record - image), 79);
        check(plan_open(copy, &plan, &err) < 0 && strcmp(err.text, "plan has an unknown record 79 in its container part") == 0, "%s", err.text);
        (void) close(copy);
}

/* Documents with a few bytes changed: refused with a sentence, or a plan that decodes. The generator's seed is fixed. */
static void test_mutations(const char *config) {
        static const char bytes[] = "{}[]\",:0123456789-+.eE\\ntfu/ \x01\x7f\xff";
        char changed[16384];
        size_t size = strlen(config);
        unsigned compiled = 0, silent = 0;
        uint32_t random = 1;

        for (int round = 0; round < 20000; round++) {
                struct berth_error err = {0};
                memcpy(changed, config, size + 1);
                for (int change = 0; change < 1 + round % 4; change++) {
                        random = random * 1664525 + 1013904223;
                        size_t at = (random >> 8) % size;
                        random = random * 1664525 + 1013904223;
                        changed[at] = bytes[(random >> 8) % (sizeof bytes - 1)];
                }
                int fd = compile(changed, keeper_json, &err);
                if (fd < 0) {
                        silent += err.text[0] == '\0' || err.code <= 0;
                        continue;
                }
                struct plan *plan = NULL;
                compiled += plan_open(fd, &plan, &err) == 0;
                plan_close(plan);
                (void) close(fd);
        }
        check(compiled > 0 && compiled < 20000, "some changed documents are still good (%u of 20000)", compiled);
        check(silent == 0, "each refusal says why");
}

static void test_unsealed(void) {
        struct berth_error err = {0};
        struct plan *plan;
        int fd = memfd_create("open", MFD_CLOEXEC);
        check(plan_open(fd, &plan, &err) == -EINVAL, "a file that can still change is refused");
        (void) close(fd);
}

static bool compares_with(const struct sock_filter *program, size_t n, uint32_t word) {
        for (size_t i = 0; i < n; i++)
                if (program[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && program[i].k == word)
                        return true;
        return false;
}

/* Numbers beside one that is too large for jansson, and that one itself, are what was written. */
static void test_large_numbers(void) {
        static const char profile[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"getpgid\"],\"action\":\"SCMP_ACT_TRAP\","
                                      "\"args\":[{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":9223372036854775825},"
                                      "{\"index\":1,\"op\":\"SCMP_CMP_EQ\",\"value\":18446744073709551615},"
                                      "{\"index\":2,\"op\":\"SCMP_CMP_EQ\",\"value\":9007199254741009}]}]}";
        static struct sock_filter program[BPF_MAXINSNS];
        struct berth_error err = {0};
        size_t size = 0;

        check_call(seccomp_compile(profile, sizeof profile - 1, program, sizeof program, &size, &err), &err, "a profile of large numbers compiles");
        for (size_t i = 0; i < 4; i++) {
                static const uint32_t words[] = {0x80000000, 17, UINT32_MAX, 0x200000};
                check(compares_with(program, size / sizeof *program, words[i]), "the filter compares with 0x%x", words[i]);
        }

        char config[8192];
        (void) snprintf(config, sizeof config,
                        "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"x\"},\"process\":%s,"
                        "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],\"resources\":{\"memory\":{\"limit\":9223372036854771712}}}}",
                        process_json);
        int fd = compile(config, keeper_json, &err);
        check(fd >= 0, "a large limit of memory stands beside an unlimited resource (%s)", err.text);
        (void) close(fd);
        check(compile("{\"ociVersion\":18446744073709551615}", keeper_json, &err) == -EINVAL, "a large number is no text");
        check(strcmp(err.text, "ociVersion: expected a string") == 0, "and that is said (%s)", err.text);
}

int main(void) {
        struct berth_error err = {0};
        struct plan *plan = NULL;

        int fd = compile_whole(&err);
        check(fd >= 0, "a whole container compiles (%s)", err.text);
        if (fd < 0 || plan_open(fd, &plan, &err) < 0) {
                check(false, "the plan decodes (%s)", err.text);
                return check_end();
        }
        test_process(&plan->process);
        test_container(&plan->container);
        test_keeper(plan_keeper(plan));
        plan_close(plan);
        test_damage(fd);
        test_unknown_record(fd);
        (void) close(fd);

        fd = compile(process_json, NULL, &err);
        check(fd >= 0 && plan_open(fd, &plan, &err) == 0 && !plan_keeper(plan), "a process object compiles to an exec's plan");
        plan_close(plan);
        (void) close(fd);
        test_unsealed();
        test_large_numbers();
        test_complaints();
        test_namespace_complaints();
        char config[8192];
        test_mutations(whole(config, sizeof config));
        return check_end();
}
