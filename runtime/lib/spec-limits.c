/* SPDX-License-Identifier: Apache-2.0 */
#include "spec-limits.h"

#include <errno.h>
#include <stdlib.h>

#include "plan-decode.h"
#include "spec.h"

/* No decoded limit is larger than this many bytes for each byte of its record. */
#define SPEC_LIMITS_FACTOR 4

/* The records of the limits, as a plan has them, and a plan of nothing else that they are decoded into. */
struct spec_limits {
        uint8_t *records;
        struct plan *plan;
};

static int spec_limits_decode(struct spec_limits *limits, size_t size, struct berth_error *err) {
        size_t arena_size = sizeof(struct plan) + size * SPEC_LIMITS_FACTOR + 4096;
        struct tlv_reader reader = {.at = limits->records, .end = limits->records + size};

        limits->plan = calloc(1, arena_size);
        if (!limits->plan)
                return berth_error_set(err, ENOMEM, "memory for the limits");
        limits->plan->arena = (uint8_t *) limits->plan;
        limits->plan->arena_size = arena_size;
        limits->plan->arena_used = (sizeof(struct plan) + 15) & ~(size_t) 15;
        return plan_decode_limits(limits->plan, reader, err);
}

int spec_limits_open(const char *resources, size_t size, struct spec_limits **ret, struct berth_error *err) {
        struct tlv_writer writer = {.limit = PLAN_SIZE_MAX};
        json_t *document = NULL;

        int r = json_parse(resources, size, "resources", &document, err);
        if (r < 0)
                return r;
        struct json_at at = {.key = "resources", .value = document};
        r = spec_write_resources(&at, &writer, err);
        json_decref(document);
        if (r == 0 && writer.error)
                r = berth_error_set(err, -writer.error, "the limits are larger than %u bytes", PLAN_SIZE_MAX);
        struct spec_limits *limits = r == 0 ? calloc(1, sizeof *limits) : NULL;
        if (!limits) {
                free(writer.data);
                return r < 0 ? r : berth_error_set(err, ENOMEM, "memory for the limits");
        }
        limits->records = writer.data;
        r = spec_limits_decode(limits, writer.size, err);
        if (r < 0) {
                spec_limits_close(limits);
                return r;
        }
        *ret = limits;
        return 0;
}

const struct cgroup_limits *spec_limits_get(const struct spec_limits *limits) {
        return &limits->plan->container.limits;
}

void spec_limits_close(struct spec_limits *limits) {
        if (!limits)
                return;
        free(limits->plan);
        free(limits->records);
        free(limits);
}
