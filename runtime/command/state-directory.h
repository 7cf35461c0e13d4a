/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "command.h"

/*
 * <root>/<id>, 0700: everything that is remembered of a container.
 *
 *   state.json    who it is; missing while the container is made, and in what a killed creation left
 *   config.json   what it was made from, with what `update` has changed since
 *   start.sock    where its process waits to be started; what tells a created container from a running one
 *
 * Verbs that change something hold a lock (flock of the directory) while they do; nobody waits for it who only looks.
 */

/* Makes the directory of a new container, locked. -EEXIST when there is one of that id. */
int state_directory_make(const struct command *command, const char *id, int *ret, struct berth_error *err);

/* -ENOENT when there is no such container. */
int state_directory_open(const struct command *command, const char *id, int *ret, struct berth_error *err);
int state_directory_open_locked(const struct command *command, const char *id, int *ret, struct berth_error *err);
void state_directory_unlock(int directory);

/* Removes the directory and the files in it. */
int state_directory_remove(const struct command *command, const char *id, int directory, struct berth_error *err);

/* Writes a whole file beside its place and moves it there, 0600. */
int state_directory_write(int directory, const char *name, const char *text, size_t size, struct berth_error *err);

/* A whole file of up to JSON_SIZE_MAX bytes, as JSON; the caller json_decref()s *ret. */
int state_directory_read(int directory, const char *name, json_t **ret, struct berth_error *err);

/* The socket on which a created container waits (SOCK_SEQPACKET). */
int state_directory_listen(int directory, int *ret_sock, struct berth_error *err);
int state_directory_connect(int directory, const char *id, int *ret_sock, struct berth_error *err);
/* What the socket was for is done: the container runs. */
int state_directory_started(int directory, struct berth_error *err);
bool state_directory_waits(int directory);
