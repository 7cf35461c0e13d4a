/* SPDX-License-Identifier: Apache-2.0 */
#include "dbus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "fd.h"

#define MESSAGE_MAX 32768
#define PATIENCE_S 25
#define FIXED_HEADER 16

enum { FIELD_PATH = 1, FIELD_INTERFACE = 2, FIELD_MEMBER = 3, FIELD_ERROR = 4, FIELD_REPLY = 5, FIELD_DESTINATION = 6, FIELD_SIGNATURE = 8 };

struct dbus {
        int fd;
        uint32_t serial;
        uint8_t in[MESSAGE_MAX];
};

static size_t padding(size_t at, size_t alignment) {
        return (alignment - at % alignment) % alignment;
}

/* ---- bodies ---- */

void dbus_put_bytes(struct dbus_body *body, size_t alignment, const void *data, size_t size) {
        size_t pad = padding(body->used, alignment);
        if (body->overflow || size > sizeof body->data || pad + size > sizeof body->data - body->used) {
                body->overflow = true;
                return;
        }
        memset(body->data + body->used, 0, pad);
        if (size > 0)
                memcpy(body->data + body->used + pad, data, size);
        body->used += pad + size;
}

void dbus_put_u32(struct dbus_body *body, uint32_t value) {
        dbus_put_bytes(body, 4, &value, sizeof value);
}

void dbus_put_u64(struct dbus_body *body, uint64_t value) {
        dbus_put_bytes(body, 8, &value, sizeof value);
}

void dbus_put_string(struct dbus_body *body, const char *text) {
        dbus_put_u32(body, (uint32_t) strlen(text));
        dbus_put_bytes(body, 1, text, strlen(text) + 1);
}

void dbus_put_signature(struct dbus_body *body, const char *signature) {
        uint8_t length = (uint8_t) strlen(signature);
        dbus_put_bytes(body, 1, &length, 1);
        dbus_put_bytes(body, 1, signature, (size_t) length + 1);
}

size_t dbus_begin_array(struct dbus_body *body, size_t alignment) {
        dbus_put_u32(body, 0);
        size_t mark = body->used;
        dbus_put_bytes(body, alignment, NULL, 0);
        return mark;
}

void dbus_end_array(struct dbus_body *body, size_t mark, size_t alignment) {
        if (body->overflow)
                return;
        /* The padding before the first element does not count. */
        uint32_t size = (uint32_t) (body->used - mark - padding(mark, alignment));
        memcpy(body->data + mark - sizeof size, &size, sizeof size);
}

/* ---- the connection ---- */

static int read_all(struct dbus *dbus, void *to, size_t size, struct berth_error *err) {
        for (uint8_t *at = to; size > 0;) {
                ssize_t n = read(dbus->fd, at, size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return berth_error_set(err, errno == EAGAIN ? ETIMEDOUT : errno, "wait for systemd's answer");
                if (n == 0)
                        return berth_error_set(err, ECONNRESET, "systemd closed the connection");
                at += n;
                size -= (size_t) n;
        }
        return 0;
}

/* SASL EXTERNAL: who we are is what the kernel tells the peer of the socket. */
static int authenticate(struct dbus *dbus, struct berth_error *err) {
        char uid[16], words[96], answer[128];
        size_t used = 0;
        int length = snprintf(uid, sizeof uid, "%u", (unsigned) geteuid());
        int n = snprintf(words, sizeof words, "%cAUTH EXTERNAL ", 0);
        for (int i = 0; i < length; i++)
                n += snprintf(words + n, sizeof words - (size_t) n, "%02x", (unsigned) uid[i]);
        n += snprintf(words + n, sizeof words - (size_t) n, "\r\n");
        int r = fd_write_all(dbus->fd, words, (size_t) n);
        if (r < 0)
                return berth_error_set(err, -r, "greet systemd");
        while (used + 1 < sizeof answer && (used == 0 || answer[used - 1] != '\n')) {
                r = read_all(dbus, answer + used++, 1, err);
                if (r < 0)
                        return r;
        }
        answer[used] = '\0';
        if (strncmp(answer, "OK ", 3) != 0)
                return berth_error_set(err, EACCES, "systemd does not let us in: %.*s", (int) strcspn(answer, "\r\n"), answer);
        r = fd_write_all(dbus->fd, "BEGIN\r\n", 7);
        return r < 0 ? berth_error_set(err, -r, "greet systemd") : 0;
}

int dbus_open(const char *path, struct dbus **ret, struct berth_error *err) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        const struct timeval patience = {.tv_sec = PATIENCE_S};
        if (strlen(path) >= sizeof address.sun_path)
                return berth_error_set(err, ENAMETOOLONG, "the socket path %s is too long", path);
        strcpy(address.sun_path, path);
        struct dbus *dbus = calloc(1, sizeof *dbus);
        if (!dbus)
                return berth_error_set(err, ENOMEM, "memory for a D-Bus connection");
        dbus->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r = 0;
        if (dbus->fd < 0 || setsockopt(dbus->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
            setsockopt(dbus->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
                r = berth_error_set(err, errno, "make a socket");
        else if (connect(dbus->fd, (struct sockaddr *) &address, sizeof address) < 0)
                r = berth_error_set(err, errno, "connect to systemd at %s (does systemd run this machine?)", path);
        if (r == 0)
                r = authenticate(dbus, err);
        if (r < 0) {
                dbus_close(dbus);
                return r;
        }
        *ret = dbus;
        return 0;
}

void dbus_close(struct dbus *dbus) {
        if (!dbus)
                return;
        cleanup_close(&dbus->fd);
        free(dbus);
}

/* ---- sending ---- */

static void put_field(struct dbus_body *header, uint8_t field, const char *type, const char *value) {
        dbus_put_bytes(header, 8, &field, 1);
        dbus_put_signature(header, type);
        if (type[0] == 'g')
                dbus_put_signature(header, value);
        else
                dbus_put_string(header, value);
}

int dbus_send(struct dbus *dbus, const struct dbus_call *call, uint32_t *ret_serial, struct berth_error *err) {
        struct dbus_body header = {.used = 0};
        const uint8_t begin[4] = {'l', DBUS_CALL, 0, 1};
        if (call->body->overflow)
                return berth_error_set(err, E2BIG, "a call of systemd's %s is longer than %d bytes", call->member, DBUS_BODY_MAX);
        dbus_put_bytes(&header, 1, begin, sizeof begin);
        dbus_put_u32(&header, (uint32_t) call->body->used);
        dbus_put_u32(&header, ++dbus->serial);
        size_t fields = dbus_begin_array(&header, 8);
        put_field(&header, FIELD_PATH, "o", call->path);
        put_field(&header, FIELD_INTERFACE, "s", call->interface);
        put_field(&header, FIELD_MEMBER, "s", call->member);
        put_field(&header, FIELD_DESTINATION, "s", call->destination);
        put_field(&header, FIELD_SIGNATURE, "g", call->signature);
        dbus_end_array(&header, fields, 8);
        dbus_put_bytes(&header, 8, NULL, 0);
        int r = fd_write_all(dbus->fd, header.data, header.used);
        if (r == 0)
                r = fd_write_all(dbus->fd, call->body->data, call->body->used);
        if (r < 0)
                return berth_error_set(err, -r, "call systemd's %s", call->member);
        *ret_serial = dbus->serial;
        return 0;
}

/* ---- receiving ---- */

static bool get_aligned(const uint8_t *data, size_t size, size_t *at, size_t alignment, void *to, size_t n) {
        size_t start = *at + padding(*at, alignment);
        if (start > size || n > size - start)
                return false;
        memcpy(to, data + start, n);
        *at = start + n;
        return true;
}

static const char *get_text(const uint8_t *data, size_t size, size_t *at, size_t length) {
        if (*at >= size || length >= size - *at || data[*at + length] != '\0')
                return NULL;
        const char *text = (const char *) data + *at;
        *at += length + 1;
        return strlen(text) == length ? text : NULL;
}

static const char *get_string(const uint8_t *data, size_t size, size_t *at) {
        uint32_t length;
        return get_aligned(data, size, at, 4, &length, sizeof length) ? get_text(data, size, at, length) : NULL;
}

static const char *get_signature(const uint8_t *data, size_t size, size_t *at) {
        uint8_t length;
        return get_aligned(data, size, at, 1, &length, 1) ? get_text(data, size, at, length) : NULL;
}

/* One of the header's fields: a byte, then a variant of a string, a signature or a number. */
static bool parse_field(const uint8_t *data, size_t size, size_t *at, struct dbus_message *ret) {
        uint8_t field;
        uint32_t number = 0;
        const char *text = NULL;
        if (!get_aligned(data, size, at, 8, &field, 1))
                return false;
        const char *type = get_signature(data, size, at);
        if (!type)
                return false;
        if (strcmp(type, "u") == 0) {
                if (!get_aligned(data, size, at, 4, &number, sizeof number))
                        return false;
        } else {
                text = strcmp(type, "g") == 0 ? get_signature(data, size, at) : get_string(data, size, at);
                if (!text)
                        return false;
        }
        if (field == FIELD_MEMBER)
                ret->member = text;
        else if (field == FIELD_ERROR)
                ret->error = text;
        else if (field == FIELD_REPLY)
                ret->reply_serial = number;
        return true;
}

static int discard(struct dbus *dbus, uint64_t size, struct berth_error *err) {
        for (uint64_t left = size; left > 0;) {
                size_t n = left < sizeof dbus->in ? (size_t) left : sizeof dbus->in;
                int r = read_all(dbus, dbus->in, n, err);
                if (r < 0)
                        return r;
                left -= n;
        }
        return 0;
}

int dbus_receive(struct dbus *dbus, struct dbus_message *ret, struct berth_error *err) {
        for (;;) {
                uint32_t sizes[3]; /* body, serial, fields */
                int r = read_all(dbus, dbus->in, FIXED_HEADER, err);
                if (r < 0)
                        return r;
                memcpy(sizes, dbus->in + 4, sizeof sizes);
                if (dbus->in[0] != 'l' || dbus->in[3] != 1)
                        return berth_error_set(err, EPROTO, "systemd speaks another D-Bus protocol");
                uint64_t fields = (uint64_t) FIXED_HEADER + sizes[2], head = (fields + 7) & ~UINT64_C(7), rest = head - FIXED_HEADER + sizes[0];
                if (rest > sizeof dbus->in - FIXED_HEADER) {
                        r = discard(dbus, rest, err);
                        if (r < 0)
                                return r;
                        continue;
                }
                r = read_all(dbus, dbus->in + FIXED_HEADER, (size_t) rest, err);
                if (r < 0)
                        return r;
                *ret = (struct dbus_message){.type = dbus->in[1], .body = dbus->in + head, .size = sizes[0]};
                for (size_t at = FIXED_HEADER; at < fields;)
                        if (!parse_field(dbus->in, (size_t) fields, &at, ret))
                                return berth_error_set(err, EPROTO, "systemd sent a damaged D-Bus message");
                return 0;
        }
}

const char *dbus_get_string(const struct dbus_message *message, size_t *at) {
        return get_string(message->body, message->size, at);
}

bool dbus_get_u32(const struct dbus_message *message, size_t *at, uint32_t *ret) {
        return get_aligned(message->body, message->size, at, 4, ret, sizeof *ret);
}
