/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

int frame_peek(const uint8_t *bytes, size_t size, struct shim_header *ret_header) {
        struct shim_header header;
        if (size < sizeof(header))
                return 0;
        memcpy(&header, bytes, sizeof(header));
        header.size = le32toh(header.size);
        header.type = le16toh(header.type);
        header.flags = le16toh(header.flags);
        header.id = le64toh(header.id);
        if (header.size > SHIM_PAYLOAD_MAX)
                return -EMSGSIZE;
        if (size - sizeof(header) < header.size)
                return 0;
        *ret_header = header;
        return 1;
}

struct frame_reader frame_reader_of(const uint8_t *payload, size_t size) {
        return (struct frame_reader){.at = payload, .end = payload + size};
}

static const uint8_t *frame_take(struct frame_reader *reader, size_t size) {
        if (reader->bad || (size_t) (reader->end - reader->at) < size) {
                reader->bad = true;
                return NULL;
        }
        const uint8_t *start = reader->at;
        reader->at += size;
        return start;
}

uint8_t frame_read_u8(struct frame_reader *reader) {
        const uint8_t *field = frame_take(reader, 1);
        return field ? *field : 0;
}

uint16_t frame_read_u16(struct frame_reader *reader) {
        uint16_t value = 0;
        const uint8_t *field = frame_take(reader, sizeof(value));
        if (field)
                memcpy(&value, field, sizeof(value));
        return le16toh(value);
}

uint32_t frame_read_u32(struct frame_reader *reader) {
        uint32_t value = 0;
        const uint8_t *field = frame_take(reader, sizeof(value));
        if (field)
                memcpy(&value, field, sizeof(value));
        return le32toh(value);
}

uint64_t frame_read_u64(struct frame_reader *reader) {
        uint64_t value = 0;
        const uint8_t *field = frame_take(reader, sizeof(value));
        if (field)
                memcpy(&value, field, sizeof(value));
        return le64toh(value);
}

struct frame_text frame_read_text(struct frame_reader *reader) {
        struct frame_text text = {0};
        size_t size = frame_read_u16(reader);
        const uint8_t *field = frame_take(reader, size);
        if (!field)
                return text;
        if (size > FRAME_TEXT_MAX || memchr(field, '\0', size)) {
                reader->bad = true;
                return text;
        }
        memcpy(text.bytes, field, size);
        return text;
}

bool frame_read_all(const struct frame_reader *reader) {
        return !reader->bad && reader->at == reader->end;
}

static void frame_put(struct frame_writer *writer, const void *bytes, size_t size) {
        if (writer->overflow || writer->capacity - writer->size < size) {
                writer->overflow = true;
                return;
        }
        memcpy(writer->bytes + writer->size, bytes, size);
        writer->size += size;
}

void frame_begin(struct frame_writer *writer, uint16_t type, uint64_t id) {
        writer->size = 0;
        writer->overflow = false;
        struct shim_header header = {.type = htole16(type), .id = htole64(id)};
        frame_put(writer, &header, sizeof(header));
}

void frame_write_u8(struct frame_writer *writer, uint8_t value) {
        frame_put(writer, &value, sizeof(value));
}

void frame_write_u16(struct frame_writer *writer, uint16_t value) {
        value = htole16(value);
        frame_put(writer, &value, sizeof(value));
}

void frame_write_i32(struct frame_writer *writer, int32_t value) {
        uint32_t bits = htole32((uint32_t) value);
        frame_put(writer, &bits, sizeof(bits));
}

void frame_write_u64(struct frame_writer *writer, uint64_t value) {
        value = htole64(value);
        frame_put(writer, &value, sizeof(value));
}

void frame_write_text(struct frame_writer *writer, const char *text) {
        size_t size = strnlen(text, UINT16_MAX);
        frame_write_u16(writer, (uint16_t) size);
        frame_put(writer, text, size);
}

void frame_finish(struct frame_writer *writer) {
        if (writer->overflow)
                return;
        uint32_t size = htole32((uint32_t) (writer->size - sizeof(struct shim_header)));
        memcpy(writer->bytes, &size, sizeof(size));
}
