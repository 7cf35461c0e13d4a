/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

#define FRAME_TEXT_MAX 255 /* of names in requests: an exec's id has 64 bytes */

/* Takes fields off a payload. Reading past the end gives zeros and sets `bad`; the payload itself is never left. */
struct frame_reader {
        const uint8_t *at, *end;
        bool bad;
};

struct frame_text {
        char bytes[FRAME_TEXT_MAX + 1]; /* terminated */
};

/* 1: a whole frame stands at the front of the bytes (*ret_header), 0: not yet, -EMSGSIZE: it announces too much. */
int frame_peek(const uint8_t *bytes, size_t size, struct shim_header *ret_header);

struct frame_reader frame_reader_of(const uint8_t *payload, size_t size);
uint8_t frame_read_u8(struct frame_reader *reader);
uint16_t frame_read_u16(struct frame_reader *reader);
uint32_t frame_read_u32(struct frame_reader *reader);
uint64_t frame_read_u64(struct frame_reader *reader);
/* Text with a NUL inside or beyond FRAME_TEXT_MAX is bad. */
struct frame_text frame_read_text(struct frame_reader *reader);
/* Everything was there and nothing is left over. */
bool frame_read_all(const struct frame_reader *reader);

/* Appends one frame to a caller's buffer. Writing past the capacity sets `overflow` and changes nothing more. */
struct frame_writer {
        uint8_t *bytes;
        size_t size, capacity;
        bool overflow;
};

void frame_begin(struct frame_writer *writer, uint16_t type, uint64_t id);
void frame_write_u8(struct frame_writer *writer, uint8_t value);
void frame_write_u16(struct frame_writer *writer, uint16_t value);
void frame_write_i32(struct frame_writer *writer, int32_t value);
void frame_write_u64(struct frame_writer *writer, uint64_t value);
void frame_write_text(struct frame_writer *writer, const char *text); /* cut at 65,535 bytes */
/* Puts the payload's size into the header. */
void frame_finish(struct frame_writer *writer);
