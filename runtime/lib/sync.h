/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "error.h"

/*
 * The channel between the caller and the process that is being made: a SOCK_SEQPACKET pair. The child says CONSOLE (with the pty
 * master), then READY or FAILED; the parent says START; the child's end closes by execve, or says FAILED first. Where a plan asks for
 * it, the parent says MAPPED first (the ids of a new user namespace are mapped), the child says MOUNTED before it pivots and waits for
 * HOOKED, and says LISTENER with the descriptor of its seccomp listener. Where the process needs a stage before it (container-stage.h), that
 * one says CHILD with the process's descriptor and number, and the process waits for MAPPED before anything else.
 */
enum sync_kind { SYNC_READY = 1, SYNC_CONSOLE, SYNC_FAILED, SYNC_START, SYNC_MAPPED, SYNC_MOUNTED, SYNC_HOOKED, SYNC_LISTENER, SYNC_CHILD };

/*
 * A container's own processes see one that is about to join them and may stop it for ever; whoever waits for it has others to serve. Less
 * than a daemon waits for its shim, so that it hears the reason.
 */
#define SYNC_PATIENCE_S 20

/* ret[0] is the parent's end, on which a receive gives up with -ETIMEDOUT. */
int sync_open(int ret[2], struct berth_error *err);
int sync_send(int sock, enum sync_kind kind, int fd, struct berth_error *err);
int sync_send_child(int sock, pid_t pid, int pidfd, struct berth_error *err);
void sync_fail(int sock, const struct berth_error *failure);

/* Answers the kind of the next message, 0 at the end of the stream; a FAILED is put into *err and answered as its negative errno. */
int sync_receive(int sock, int *ret_fd, struct berth_error *err);
/* The same for a CHILD alone; all else is an error. */
int sync_receive_child(int sock, pid_t *ret_pid, int *ret_pidfd, struct berth_error *err);

/* How long the parent's end waits for a message; 0: for ever. */
int sync_set_patience(int sock, unsigned seconds, struct berth_error *err);
