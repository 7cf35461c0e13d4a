/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "error.h"
#include "netlink.h"

/*
 * A plan is everything decided about a container or an exec'd process, compiled from JSON by libberth (plan-compile.c, in the
 * daemon or the command) into one versioned TLV image in a sealed memfd, and decoded (plan.c, in the shim) without a JSON
 * parser. Decoded strings and arrays point into the mapped image or the plan's arena and live as long as the struct plan.
 */

#define PLAN_VERSION_MIN 1
#define PLAN_VERSION_MAX 1
#define PLAN_SIZE_MAX (4U << 20)
#define PLAN_PRESERVED_MAX 1000 /* descriptors of the caller that go to the program */

/* What the shim itself needs to know: the document `keeper` that the daemon hands to berth_plan_compile beside config.json. */
enum plan_network { PLAN_NETWORK_HOST, PLAN_NETWORK_NONE, PLAN_NETWORK_VETH };
enum plan_log { PLAN_LOG_NONE, PLAN_LOG_JSON_FILE, PLAN_LOG_CRI };
#define PLAN_LOG_LINE_MAX 16384 /* bytes of output in a record of json-file, and of CRI unless it asks otherwise */
enum plan_rootfs { PLAN_ROOTFS_DIRECTORY, PLAN_ROOTFS_OVERLAY };

struct keeper_plan {
        const char *id;        /* container id */
        const char *directory; /* <exec-root>/shims/<id>, exists, 0700: shim.sock, shim.json, lock, exit.json */
        bool open_stdin;       /* false: stdin of the process is /dev/null */
        bool stdin_once;       /* close stdin when the first attached client with stdin goes away */

        enum plan_log log;
        const char *log_path;   /* json-file, CRI; made 0640 */
        uint64_t log_max_bytes; /* json-file; 0: no rotation */
        uint32_t log_max_files; /* json-file; ≥ 1; the live file counts */
        const char *log_compressor; /* json-file: berth-unpack, which compresses rotated files; NULL: they stay as they are */
        uint32_t log_line_max;  /* CRI: longer lines are cut into records of this size */

        enum plan_rootfs rootfs;
        const char *rootfs_path;  /* DIRECTORY: the tree; OVERLAY: a directory in which old kernels may mount privately */
        const char *const *lower; /* OVERLAY: absolute paths, topmost first */
        uint32_t n_lower;
        const char *upper, *work; /* OVERLAY; NULL: read-only */
        bool rootfs_id_mapped;    /* ids on the disk are those inside the container's user namespace */

        enum plan_network network;
        const char *host_link, *bridge, *link; /* VETH: names of the near end, the bridge, the end inside */
        uint8_t mac[6];
        uint32_t mtu; /* 0: the kernel's default */
        const struct netlink_address *addresses;
        uint32_t n_addresses;
        const struct netlink_route *routes;
        uint32_t n_routes;

        const char *runtime;                /* another OCI runtime, driven by its command line; NULL: the library makes the container */
        const char *const *runtime_options; /* NULL-terminated, before the verb */
        uint32_t n_runtime_options;
        const char *runtime_root, *bundle; /* its directory of states; where its config.json is */
};

struct plan; /* opaque; one allocation-free decode, see plan.c */

/* Maps and checks the image (seals, magic, version, bounds of every record). */
int plan_open(int memfd, struct plan **ret, struct berth_error *err);
void plan_close(struct plan *plan);

const struct keeper_plan *plan_keeper(const struct plan *plan); /* NULL in an exec's plan */
const struct cgroup_limits *plan_cgroup_limits(const struct plan *plan);
const char *plan_cgroup_path(const struct plan *plan); /* linux.cgroupsPath */
bool plan_terminal(const struct plan *plan);
