/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "frame.h"

/* argv: requests.hex answers.hex */

#define ID 0x0123456789ABCDEFULL
#define NANOSECONDS 1795320306123456789ULL

static size_t parse(const char *hex, uint8_t *ret, size_t capacity) {
        size_t size = strlen(hex) / 2;
        check(size <= capacity);
        for (size_t i = 0; i < size; i++) {
                char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
                ret[i] = (uint8_t) strtoul(pair, NULL, 16);
        }
        return size;
}

/* Bytes end exactly where the heap block ends, so that AddressSanitizer sees the first one read beyond. */
static uint8_t *load(const char *file, const char *name, size_t *ret_size) {
        char line_name[64], hex[1024];
        FILE *stream = fopen(file, "re");
        check(stream);
        while (fscanf(stream, "%63s %1023s", line_name, hex) == 2) {
                if (strcmp(line_name, name) != 0)
                        continue;
                (void) fclose(stream);
                uint8_t *bytes = malloc(strlen(hex) / 2);
                check(bytes);
                *ret_size = parse(hex, bytes, strlen(hex) / 2);
                return bytes;
        }
        (void) fprintf(stderr, "no frame '%s' in %s\n", name, file);
        exit(1);
}

struct request {
        uint8_t *bytes;
        struct shim_header header;
        struct frame_reader fields;
};

static struct request request_open(const char *file, const char *name, uint16_t type) {
        struct request request;
        size_t size;
        request.bytes = load(file, name, &size);
        for (size_t part = 0; part < size; part++)
                check(frame_peek(request.bytes, part, &request.header) == 0);
        check(frame_peek(request.bytes, size, &request.header) == 1);
        check(request.header.type == type && request.header.flags == 0 && request.header.id == ID);
        check(request.header.size == size - sizeof(request.header));
        request.fields = frame_reader_of(request.bytes + sizeof(request.header), request.header.size);
        return request;
}

static void request_close(struct request *request) {
        check(frame_read_all(&request->fields));
        /* Without its last byte no field may be read beyond the end. */
        if (request->header.size > 0) {
                struct frame_reader cut = frame_reader_of(request->bytes + sizeof(request->header), request->header.size - 1);
                for (unsigned i = 0; i < request->header.size; i++)
                        (void) frame_read_u8(&cut);
                check(cut.bad && !frame_read_all(&cut));
        }
        free(request->bytes);
}

static void check_text(struct frame_reader *fields, const char *expected) {
        struct frame_text text = frame_read_text(fields);
        check(strcmp(text.bytes, expected) == 0);
}

static void test_requests(const char *file) {
        static const struct {
                const char *name;
                uint16_t type;
        } empty[] = {{"pause", SHIM_PAUSE},
                     {"resume", SHIM_RESUME},
                     {"state", SHIM_STATE},
                     {"reopenLog", SHIM_REOPEN_LOG},
                     {"openDns", SHIM_OPEN_DNS},
                     {"shutdown", SHIM_SHUTDOWN}},
          named[] = {{"create", SHIM_CREATE}, {"start", SHIM_START}, {"closeStdin", SHIM_CLOSE_STDIN}};
        struct request request;

        for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
                request = request_open(file, empty[i].name, empty[i].type);
                request_close(&request);
        }
        for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
                request = request_open(file, named[i].name, named[i].type);
                check_text(&request.fields, "exec-1");
                request_close(&request);
        }

        request = request_open(file, "hello", SHIM_HELLO);
        check(frame_read_u16(&request.fields) == 1 && frame_read_u16(&request.fields) == 0x0203);
        request_close(&request);

        request = request_open(file, "prepare", SHIM_PREPARE);
        check(frame_read_u8(&request.fields) == 1);
        request_close(&request);

        request = request_open(file, "kill", SHIM_KILL);
        check_text(&request.fields, "");
        check(frame_read_u32(&request.fields) == 15 && frame_read_u8(&request.fields) == 1);
        request_close(&request);

        request = request_open(file, "resize", SHIM_RESIZE);
        check_text(&request.fields, "exec-1");
        check(frame_read_u16(&request.fields) == 24 && frame_read_u16(&request.fields) == 300);
        request_close(&request);

        request = request_open(file, "attach", SHIM_ATTACH);
        check_text(&request.fields, "");
        check(frame_read_u8(&request.fields) == (SHIM_ATTACH_STDOUT | SHIM_ATTACH_STDERR | SHIM_ATTACH_FRAMED));
        request_close(&request);

        request = request_open(file, "addLink", SHIM_ADD_LINK);
        check_text(&request.fields, "bth1");
        check_text(&request.fields, "br0");
        check_text(&request.fields, "eth1");
        static const uint8_t mac[] = {0x02, 0x42, 0xac, 0x12, 0x00, 0xff};
        for (size_t i = 0; i < sizeof(mac); i++)
                check(frame_read_u8(&request.fields) == mac[i]);
        check(frame_read_u32(&request.fields) == 1450);
        check_text(&request.fields, "172.18.0.2/16");
        check_text(&request.fields, "172.18.0.1");
        request_close(&request);

        request = request_open(file, "publish", SHIM_PUBLISH);
        check(frame_read_u8(&request.fields) == 17);
        check_text(&request.fields, "127.0.0.1");
        check(frame_read_u16(&request.fields) == 8053);
        check_text(&request.fields, "172.18.0.2");
        check(frame_read_u16(&request.fields) == 53);
        request_close(&request);

        request = request_open(file, "withdraw", SHIM_WITHDRAW);
        check(frame_read_u8(&request.fields) == 6);
        check_text(&request.fields, "");
        check(frame_read_u16(&request.fields) == 8080);
        request_close(&request);

        request = request_open(file, "removeLink", SHIM_REMOVE_LINK);
        check_text(&request.fields, "bth1");
        request_close(&request);

        request = request_open(file, "setGateway", SHIM_SET_GATEWAY);
        check_text(&request.fields, "172.18.0.1");
        check_text(&request.fields, "eth1");
        request_close(&request);

        request = request_open(file, "ack", SHIM_ACK);
        check(frame_read_u64(&request.fields) == 0xFEDCBA9876543210ULL);
        request_close(&request);
}

static void check_answer(const char *file, const char *name, struct frame_writer *writer) {
        size_t size;
        frame_finish(writer);
        uint8_t *expected = load(file, name, &size);
        check(!writer->overflow && writer->size == size && memcmp(writer->bytes, expected, size) == 0);
        free(expected);
}

static void test_answers(const char *file) {
        uint8_t bytes[512];
        struct frame_writer writer = {.bytes = bytes, .capacity = sizeof(bytes)};

        frame_begin(&writer, SHIM_RESULT, ID);
        frame_write_i32(&writer, 0);
        check_answer(file, "result", &writer);

        frame_begin(&writer, SHIM_RESULT, ID);
        frame_write_i32(&writer, 2);
        frame_write_text(&writer, "exec: \"nö\": executable file not found in $PATH");
        check_answer(file, "error", &writer);

        frame_begin(&writer, SHIM_RESULT, ID);
        frame_write_i32(&writer, 0);
        frame_write_u8(&writer, SHIM_STATE_RUNNING);
        frame_write_i32(&writer, 4711);
        frame_write_u64(&writer, NANOSECONDS);
        frame_write_u8(&writer, 1);
        frame_write_u16(&writer, 2);
        frame_write_text(&writer, "exec-1");
        frame_write_i32(&writer, 4712);
        frame_write_text(&writer, "exec-2");
        frame_write_i32(&writer, 4713);
        check_answer(file, "state", &writer);

        frame_begin(&writer, SHIM_EXIT, 7);
        frame_write_text(&writer, "exec-1");
        frame_write_i32(&writer, 137);
        frame_write_i32(&writer, 9);
        frame_write_u8(&writer, 1);
        frame_write_u64(&writer, NANOSECONDS);
        check_answer(file, "exit", &writer);

        frame_begin(&writer, SHIM_OOM, 8);
        check_answer(file, "oom", &writer);
}

static void test_bounds(void) {
        struct shim_header header = {.size = SHIM_PAYLOAD_MAX + 1, .type = SHIM_STATE, .id = 1};
        check(frame_peek((const uint8_t *) &header, sizeof(header), &header) < 0);

        static const uint8_t with_nul[] = {3, 0, 'a', 0, 'b'};
        struct frame_reader fields = frame_reader_of(with_nul, sizeof(with_nul));
        (void) frame_read_text(&fields);
        check(fields.bad);

        static uint8_t long_text[2 + FRAME_TEXT_MAX + 1] = {0, 1};
        fields = frame_reader_of(long_text, sizeof(long_text));
        (void) frame_read_text(&fields);
        check(fields.bad);

        uint8_t bytes[20];
        struct frame_writer writer = {.bytes = bytes, .capacity = sizeof(bytes)};
        frame_begin(&writer, SHIM_RESULT, 1);
        frame_write_u64(&writer, 1);
        check(writer.overflow && writer.size == sizeof(struct shim_header));
}

/* Any payload, read by any sequence of calls, stays within its block (AddressSanitizer looks on) and is bad once it was too short. */
static void test_random_payloads(void) {
        unsigned seed = 1;
        for (unsigned round = 0; round < 20000; round++) {
                size_t size = (size_t) rand_r(&seed) % 40;
                uint8_t *payload = malloc(size + (size == 0));
                check(payload);
                for (size_t i = 0; i < size; i++)
                        payload[i] = (uint8_t) (rand_r(&seed) % 5 == 0 ? rand_r(&seed) : rand_r(&seed) % 4);
                struct frame_reader fields = frame_reader_of(payload, size);
                for (unsigned i = 0; i < 12; i++) {
                        switch (rand_r(&seed) % 5) {
                        case 0:
                                (void) frame_read_u8(&fields);
                                break;
                        case 1:
                                (void) frame_read_u16(&fields);
                                break;
                        case 2:
                                (void) frame_read_u32(&fields);
                                break;
                        case 3:
                                (void) frame_read_u64(&fields);
                                break;
                        default:
                                (void) frame_read_text(&fields);
                        }
                        check(fields.at <= fields.end);
                }
                struct shim_header header;
                (void) frame_peek(payload, size, &header);
                free(payload);
        }
}

int main(int argc, char **argv) {
        check(argc == 3);
        test_requests(argv[1]);
        test_answers(argv[2]);
        test_bounds();
        test_random_payloads();
        return 0;
}
