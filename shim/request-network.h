/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "frame.h"
#include "shim.h"

/* Requests that change the network of a sandbox that stands; as the handlers of request.c. */
int request_add_link(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err);
int request_remove_link(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err);
int request_open_dns(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err);
int request_set_gateway(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err);
int request_publish(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err);
int request_withdraw(struct shim *shim, struct frame_reader *fields, struct frame_writer *answer, struct berth_error *err);

/* Closes what the requests opened: sockets in the sandbox would keep it alive. */
void request_network_release(struct shim *shim);
