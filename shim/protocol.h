/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * The frames between daemon and shim: the twin of protocol.ts, in the same order; bytes pinned in test/golden/shim.
 *
 * A SOCK_STREAM Unix socket carries frames in both directions. All integers are little-endian, none is padded. Strings are
 * `u16 size` + bytes. A request has an id ≠ 0 that its RESULT repeats; descriptors come by SCM_RIGHTS with the first byte of
 * their frame (daemon → shim only). Events have a serial number as id and are sent again on a new connection until ACKed.
 * A request of unknown type is answered by RESULT with ENOSYS.
 */
#define SHIM_PROTOCOL_MIN 1
#define SHIM_PROTOCOL_MAX 1
#define SHIM_PAYLOAD_MAX 65536 /* of one frame; a larger one ends the connection */

struct shim_header {
        uint32_t size; /* of the payload */
        uint16_t type;
        uint16_t flags; /* 0 */
        uint64_t id;
} __attribute__((packed));

/* Requests. `task` is "" for the container's init and the exec's id otherwise. */
enum shim_request {
        SHIM_HELLO = 1,       /* u16 protocol_min, u16 protocol_max → u16 protocol, u16 plan_min, u16 plan_max, STATE's answer */
        SHIM_PREPARE = 2,     /* u8 with_netns → – ; a warm shim waits so for its CREATE */
        SHIM_CREATE = 3,      /* str task [fd plan] → i32 pid ; the process waits before execve; attach now loses nothing */
        SHIM_START = 4,       /* str task → u64 started_at (ns since 1970) */
        SHIM_KILL = 5,        /* str task, u32 signal, u8 all → – ; ESRCH when it has ended */
        SHIM_RESIZE = 6,      /* str task, u16 rows, u16 columns → – */
        SHIM_CLOSE_STDIN = 7, /* str task → – */
        SHIM_ATTACH = 8,      /* str task, u8 attach_flags [fd stream socket] → – */
        SHIM_PAUSE = 9,       /* – → – */
        SHIM_RESUME = 10,     /* – → – */
        SHIM_STATE = 11,      /* – → u8 state, i32 init_pid, u64 started_at, u8 paused, u16 n, n × (str task, i32 pid) of the execs alive */
        SHIM_REOPEN_LOG = 12, /* – → – */
        SHIM_ACK = 13,        /* u64 serial; no RESULT */
        SHIM_SHUTDOWN = 14, /* – → – ; only in state empty or stopped: releases everything, removes shim.sock and shim.json, ends. EBUSY otherwise */
        SHIM_ADD_LINK = 15, /* str host link, str bridge, str link, u8[6] mac, u32 mtu, str address with prefix, str gateway ("" : no default route) → – */
        SHIM_REMOVE_LINK = 16, /* str host link → – ; both ends */
        SHIM_SET_GATEWAY = 17, /* str gateway ("" : no default route), str link → – */
        SHIM_OPEN_DNS = 18, /* – → i32 udp, i32 tcp: the shim's descriptors of sockets in the sandbox that get what is sent to 127.0.0.11:53; always the same */
        SHIM_PUBLISH = 19, /* u8 protocol, str host address ("" : all), u16 host port, str address, u16 port → – ; again: leads it elsewhere; EADDRINUSE */
        SHIM_WITHDRAW = 20, /* u8 protocol, str host address, u16 host port → – ; ENOENT */

        SHIM_REQUEST_LAST = SHIM_WITHDRAW,
};

enum shim_attach {
        SHIM_ATTACH_STDIN = 1, /* bytes read from the socket go to stdin; its end-of-file closes stdin (with stdin_once, or an exec) */
        SHIM_ATTACH_STDOUT = 2,
        SHIM_ATTACH_STDERR = 4,
        SHIM_ATTACH_FRAMED = 8, /* output in Docker's 8-byte frames; never with a terminal */
};

enum shim_state {
        SHIM_STATE_EMPTY = 0,
        SHIM_STATE_CREATED = 1,
        SHIM_STATE_RUNNING = 2,
        SHIM_STATE_STOPPED = 3,
};

/* Answers and events. */
enum shim_answer {
        SHIM_RESULT = 0x100, /* i32 errno (0: success); then the answer's fields, or str text */
        SHIM_EXIT = 0x101, /* str task, i32 code (128 + signal when killed), i32 signal (0: exited), u8 oom_killed, u64 finished_at; output is drained
                              and logged by then */
        SHIM_OOM = 0x102,  /* – ; a process of the container was killed for memory */
};

/*
 * exit.json, written (temporary name + rename) before EXIT is sent, for init only:
 * {"code":42,"signal":0,"oomKilled":false,"pid":123,"startedAt":"<RFC 3339, ns>","finishedAt":"…"}
 * shim.json, written when CREATE succeeded: {"protocol":1,"id":"…","pid":<shim>,"startTime":<field 22 of stat>,"bootId":"…"}
 * lock: held with a POSIX record lock (F_SETLK, whole file) as long as the shim lives.
 * When init ends while no daemon is connected, the shim writes exit.json, releases everything and ends itself.
 */
