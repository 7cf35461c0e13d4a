/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "frame.h"

struct shim;

/* A payload that does not have the fields of its type. Not an errno that anything else gives here. */
#define REQUEST_MALFORMED (-EBADMSG)

/* Does what a frame asks and writes its RESULT (nothing after ACK). -1: the frame is malformed and the connection must end. */
int request_serve(struct shim *shim, const struct shim_header *header, const uint8_t *payload, struct frame_writer *answer);
