/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/*
 * As much of the D-Bus protocol as one caller of systemd needs, on a socket of its own without a bus between: method calls, their replies,
 * signals. Little-endian machines only, as the peer is on the same one.
 */

#define DBUS_BODY_MAX 8192

struct dbus;

/* Connects as this user. Closed by dbus_close (NULL is nothing). */
int dbus_open(const char *path, struct dbus **ret, struct berth_error *err);
void dbus_close(struct dbus *dbus);

/* ---- bodies ---- */

struct dbus_body {
        uint8_t data[DBUS_BODY_MAX];
        size_t used;
        bool overflow;
};

void dbus_put_bytes(struct dbus_body *body, size_t alignment, const void *data, size_t size);
void dbus_put_u32(struct dbus_body *body, uint32_t value);
void dbus_put_u64(struct dbus_body *body, uint64_t value);
void dbus_put_string(struct dbus_body *body, const char *text);
void dbus_put_signature(struct dbus_body *body, const char *signature);
/* An array of elements with this alignment; what is put until dbus_end_array is in it. */
size_t dbus_begin_array(struct dbus_body *body, size_t alignment);
void dbus_end_array(struct dbus_body *body, size_t mark, size_t alignment);

/* ---- messages ---- */

enum dbus_type { DBUS_CALL = 1, DBUS_REPLY = 2, DBUS_ERROR = 3, DBUS_SIGNAL = 4 };

struct dbus_call {
        const char *destination, *path, *interface, *member, *signature;
        const struct dbus_body *body;
};

/* Points into the connection: good until the next message. */
struct dbus_message {
        enum dbus_type type;
        uint32_t reply_serial;
        const char *member, *error; /* NULL: none */
        const uint8_t *body;
        size_t size;
};

/* *ret_serial is what its reply will name. */
int dbus_send(struct dbus *dbus, const struct dbus_call *call, uint32_t *ret_serial, struct berth_error *err);
/* The next message, whatever it is; larger ones than anybody needs are passed over. -ETIMEDOUT when nothing comes for long. */
int dbus_receive(struct dbus *dbus, struct dbus_message *ret, struct berth_error *err);

/* The string at *at of the body, which moves behind it; NULL when there is none. */
const char *dbus_get_string(const struct dbus_message *message, size_t *at);
bool dbus_get_u32(const struct dbus_message *message, size_t *at, uint32_t *ret);
