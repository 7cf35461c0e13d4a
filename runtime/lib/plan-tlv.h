/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The image of a plan: a header, then records. A record is `u16 tag, u16 flags, u32 size`, `size` bytes and padding to eight, in
 * the machine's byte order (a plan never leaves the machine). Groups hold records. A reader refuses an unknown tag unless it is
 * marked optional, so that an older shim never drops something it was asked to do.
 */

#define PLAN_MAGIC UINT32_C(0x6e616c70)
#define TLV_OPTIONAL 1

struct plan_header {
        uint32_t magic;
        uint16_t version, reserved;
        uint32_t size; /* of the whole image */
        uint32_t reserved2;
};

struct tlv_header {
        uint16_t tag, flags;
        uint32_t size;
};

/* Tags are for ever: a new meaning is a new number. Order is free, except that repeated records keep theirs. */
enum plan_tag {
        /* groups of the image */
        PLAN_PROCESS = 1,
        PLAN_CONTAINER = 2,
        PLAN_KEEPER = 3,

        /* process */
        PLAN_TERMINAL = 16,     /* u16 rows, u16 columns */
        PLAN_CWD = 17,          /* string */
        PLAN_ARGUMENT = 18,     /* string, repeated */
        PLAN_ENVIRONMENT = 19,  /* string, repeated */
        PLAN_USER = 20,         /* u32 uid, u32 gid */
        PLAN_UMASK = 21,        /* u32 */
        PLAN_GROUPS = 22,       /* u32[] */
        PLAN_CAPABILITIES = 23, /* u64[5]: bounding, effective, inheritable, permitted, ambient */
        PLAN_RLIMIT = 24,       /* u32 resource, u32 0, u64 soft, u64 hard; repeated */
        PLAN_NO_NEW_PRIVILEGES = 25,
        PLAN_OOM_SCORE = 26, /* i32 */
        PLAN_SECCOMP = 27,   /* struct sock_filter[] */
        PLAN_SECCOMP_FLAGS = 28,
        PLAN_SECCOMP_LISTENER = 29, /* two strings: path of the listening socket, metadata as JSON */
        PLAN_SCHEDULER = 30,        /* struct plan_scheduler */
        PLAN_IO_PRIORITY = 31,      /* u32: as ioprio_set(2) takes it */
        PLAN_CPU_AFFINITY = 32,     /* two strings: initial, final ("": left alone); lists as in cpuset(7) */
        PLAN_MEMORY_POLICY = 33,    /* u32 mode, u32 flags, string nodes */
        PLAN_PERSONALITY = 34,      /* u64: as personality(2) takes it */
        PLAN_APPARMOR_PROFILE = 35, /* string */
        PLAN_SELINUX_LABEL = 36,    /* string */
        PLAN_NO_NEW_KEYRING = 37,   /* the session keyring of the caller is kept */
        PLAN_PRESERVED_FDS = 38,    /* u32: descriptors 3 to 2 + n of the caller go to the program */

        /* container */
        PLAN_HOSTNAME = 48,
        PLAN_DOMAINNAME = 49,
        PLAN_ROOT_READONLY = 50,
        PLAN_ROOT_PROPAGATION = 51, /* u64: MS_* */
        PLAN_NAMESPACE = 52,        /* u64 CLONE_NEW*, string ("" : a new one); repeated */
        PLAN_MOUNT = 53,            /* group; repeated */
        PLAN_DEVICE = 54,           /* u32 mode with type, uid, gid, major, minor, then string; repeated */
        PLAN_MASKED_PATH = 55,      /* string; repeated */
        PLAN_READONLY_PATH = 56,    /* string; repeated */
        PLAN_SYSCTL = 57,           /* string "path\0value"; repeated */
        PLAN_CGROUP_PATH = 58,
        PLAN_LIMIT = 59,       /* u32 which, u32 0, i64 value; repeated */
        PLAN_CPUSET_CPUS = 60, /* string */
        PLAN_CPUSET_MEMS = 61, /* string */
        PLAN_DEVICE_RULE = 62, /* struct cgroup_device_rule; repeated */
        PLAN_UNIFIED = 63,     /* "key\0value"; repeated */
        PLAN_ID_MAP = 64,      /* struct plan_id_map; repeated */
        PLAN_TIME_OFFSET = 65, /* struct plan_time_offset; repeated */
        PLAN_HOOK = 66,  /* u32 enum plan_hook_kind, timeout in s (0: none), n arguments, n environment, then strings: path, arguments, environment */
        PLAN_STATE = 67, /* string: the members of the state that hooks and listeners get, but status and pid */
        PLAN_MOUNT_LABEL = 68, /* string: SELinux context of the mounts that take one */
        PLAN_NET_DEVICE = 69,  /* "name outside\0name inside"; repeated */
        PLAN_NO_PIVOT = 70,    /* the root is moved over the old one instead of pivot_root(2) */

        /* limits of the container that are more than a number */
        PLAN_HUGEPAGE_LIMIT = 80,   /* u64 bytes, string size ("2MB"); repeated */
        PLAN_RDMA_LIMIT = 81,       /* u32 handles, u32 objects (UINT32_MAX: left alone), string device; repeated */
        PLAN_BLKIO_DEVICE = 82,     /* struct cgroup_blkio_device; repeated */
        PLAN_NETWORK_PRIORITY = 83, /* u32 priority, string link; repeated */

        /* mount */
        PLAN_MOUNT_DESTINATION = 96,
        PLAN_MOUNT_TYPE = 97,
        PLAN_MOUNT_SOURCE = 98,
        PLAN_MOUNT_FLAGS = 99,   /* u64: enum plan_mount_flags */
        PLAN_MOUNT_ATTRS = 100,  /* u64 set, u64 clear, u64 recursive set, u64 recursive clear, u64 propagation */
        PLAN_MOUNT_OPTION = 101, /* string "key" or "key=value"; repeated */
        PLAN_MOUNT_ID_MAP = 102, /* struct plan_id_map; repeated */
        PLAN_MOUNT_SUBPATH = 103, /* string: of a bind, a path beneath its source that is mounted in its place */
        PLAN_MOUNT_NAMESPACE = 104, /* string: path of the mount namespace that the source of a bind is in */

        /* keeper */
        PLAN_ID = 128,
        PLAN_DIRECTORY = 129,
        PLAN_STDIN = 130,  /* u32 open, u32 once */
        PLAN_LOG = 131,    /* u32 enum plan_log, u32 max files, u64 max bytes, string path */
        PLAN_ROOTFS = 132, /* u32 enum plan_rootfs, u32 0, string path */
        PLAN_LOWER = 133,  /* string; repeated, topmost first */
        PLAN_UPPER = 134,
        PLAN_WORK = 135,
        PLAN_NETWORK = 136,      /* u32 enum plan_network */
        PLAN_NETWORK_LINK = 137, /* u32 mtu, u8 mac[6], u8 0[2], then three strings: host link, bridge, link */
        PLAN_ADDRESS = 138,      /* struct netlink_address; repeated */
        PLAN_ROUTE = 139,        /* struct netlink_route; repeated */
        PLAN_LOG_LINE = 140,     /* u32: line_max of a CRI log */
        PLAN_RUNTIME = 141,
        PLAN_RUNTIME_OPTION = 142, /* string; repeated */
        PLAN_RUNTIME_ROOT = 143,
        PLAN_BUNDLE = 144,
        PLAN_LOG_COMPRESSOR = 145,   /* string: path of berth-unpack */
        PLAN_ROOTFS_ID_MAPPED = 150, /* the root filesystem is shown by the ids of the container's user namespace */
};

/* ---- reading ---- */

struct tlv_reader {
        const uint8_t *at, *end;
};

struct tlv_record {
        uint16_t tag, flags;
        uint32_t size;
        const uint8_t *data;
};

/* 1: *ret is the next record, 0: the end, -EBADMSG: damaged. */
int tlv_next(struct tlv_reader *reader, struct tlv_record *ret);
struct tlv_reader tlv_group(const struct tlv_record *record);

/* A NUL-terminated string of exactly the record, or NULL. */
const char *tlv_string(const struct tlv_record *record);
/* The string that begins at *offset; moves *offset behind it. NULL when there is none. */
const char *tlv_string_at(const struct tlv_record *record, uint32_t *offset);
/* Copies the first `size` bytes; false when the record is shorter. */
bool tlv_copy(const struct tlv_record *record, void *to, size_t size);

/* ---- writing ---- */

struct tlv_writer {
        uint8_t *data;
        size_t size, capacity, limit;
        int error; /* sticky negative errno */
};

void tlv_put(struct tlv_writer *writer, uint16_t tag, const void *data, size_t size);
/* A fixed part and a string in one record; either may be empty (size 0, NULL). */
void tlv_put_pair(struct tlv_writer *writer, uint16_t tag, const void *data, size_t size, const char *text);
void tlv_put_string(struct tlv_writer *writer, uint16_t tag, const char *text);
size_t tlv_begin(struct tlv_writer *writer, uint16_t tag);
void tlv_end(struct tlv_writer *writer, size_t mark);
