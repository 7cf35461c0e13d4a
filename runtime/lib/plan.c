/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "plan-decode.h"

#define PLAN_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

/*
 * No decoded element is larger than this many bytes for each byte of its record (a record is at least its eight-byte header; the
 * largest element is struct plan_mount). The arena is address space that is touched only as far as it is used.
 */
#define PLAN_ARENA_FACTOR 20

int plan_damaged(struct berth_error *err, const char *what) {
        return berth_error_set(err, EBADMSG, "plan is damaged: %s", what);
}

void *plan_allocate(struct plan *plan, size_t count, size_t size) {
        size_t bytes = (count * size + 15) & ~(size_t) 15;
        if (bytes > plan->arena_size - plan->arena_used)
                return NULL;
        void *at = plan->arena + plan->arena_used;
        plan->arena_used += bytes;
        return at;
}

uint32_t plan_count(struct tlv_reader reader, uint16_t tag) {
        struct tlv_record record;
        uint32_t n = 0;
        while (tlv_next(&reader, &record) > 0)
                n += record.tag == tag;
        return n;
}

int plan_strings(struct plan *plan, struct tlv_reader reader, uint16_t tag, const char *const **ret, uint32_t *ret_n, struct berth_error *err) {
        uint32_t n = plan_count(reader, tag), i = 0;
        const char **array = plan_allocate(plan, (size_t) n + 1, sizeof *array);
        struct tlv_record record;

        if (!array)
                return plan_damaged(err, "too many records");
        while (tlv_next(&reader, &record) > 0) {
                if (record.tag != tag)
                        continue;
                array[i] = tlv_string(&record);
                if (!array[i++])
                        return plan_damaged(err, "a string");
        }
        *ret = array;
        if (ret_n)
                *ret_n = n;
        return 0;
}

int plan_structs(struct plan *plan, struct tlv_reader reader, uint16_t tag, size_t size, const void **ret, uint32_t *ret_n, struct berth_error *err) {
        uint32_t n = plan_count(reader, tag), i = 0;
        uint8_t *array = plan_allocate(plan, n, size);
        struct tlv_record record;

        if (!array)
                return plan_damaged(err, "too many records");
        while (tlv_next(&reader, &record) > 0) {
                if (record.tag != tag)
                        continue;
                if (record.size != size)
                        return plan_damaged(err, "a record's size");
                memcpy(array + size * i++, record.data, size);
        }
        *ret = array;
        *ret_n = n;
        return 0;
}

int plan_string(const struct tlv_record *record, const char **ret, struct berth_error *err) {
        const char *text = tlv_string(record);
        if (!text)
                return plan_damaged(err, "a string");
        *ret = text;
        return 0;
}

int plan_unknown(const struct tlv_record *record, const char *group, struct berth_error *err) {
        if (record->flags & TLV_OPTIONAL)
                return 0;
        return berth_error_set(err, EPROTONOSUPPORT, "plan has an unknown record %u in its %s part", record->tag, group);
}

/* A damaged record anywhere must be seen before the decoders, which stop silently at one. */
static int plan_check_records(struct tlv_reader reader, unsigned depth) {
        struct tlv_record record;
        int r;

        while ((r = tlv_next(&reader, &record)) > 0) {
                bool group = depth == 0 || record.tag == PLAN_MOUNT;
                if (group && depth < 2)
                        r = plan_check_records(tlv_group(&record), depth + 1);
                if (r < 0)
                        return r;
        }
        return r;
}

static int plan_decode(struct plan *plan, struct berth_error *err) {
        struct plan_header header;
        struct tlv_record record;
        bool has_process = false;

        if (plan->image_size < sizeof header)
                return plan_damaged(err, "too short");
        memcpy(&header, plan->image, sizeof header);
        if (header.magic != PLAN_MAGIC || header.size != plan->image_size)
                return plan_damaged(err, "not a plan");
        if (header.version < PLAN_VERSION_MIN || header.version > PLAN_VERSION_MAX)
                return berth_error_set(err, EPROTONOSUPPORT, "plan has version %u; known are %d to %d", header.version, PLAN_VERSION_MIN,
                                       PLAN_VERSION_MAX);

        struct tlv_reader reader = {.at = plan->image + sizeof header, .end = plan->image + plan->image_size};
        if (plan_check_records(reader, 0) < 0)
                return plan_damaged(err, "a record's size");

        int r = 0;
        while (r == 0 && tlv_next(&reader, &record) > 0) {
                switch (record.tag) {
                case PLAN_PROCESS:
                        if (has_process)
                                return plan_damaged(err, "two processes");
                        has_process = true;
                        r = plan_decode_process(plan, tlv_group(&record), err);
                        break;
                case PLAN_CONTAINER:
                        if (plan->has_container)
                                return plan_damaged(err, "two containers");
                        plan->has_container = true;
                        r = plan_decode_container(plan, tlv_group(&record), err);
                        break;
                case PLAN_KEEPER:
                        if (plan->has_keeper)
                                return plan_damaged(err, "two keepers");
                        plan->has_keeper = true;
                        r = plan_decode_keeper(plan, tlv_group(&record), err);
                        break;
                default:
                        r = plan_unknown(&record, "top", err);
                }
        }
        if (r < 0)
                return r;
        return has_process ? 0 : plan_damaged(err, "no process");
}

int plan_open(int memfd, struct plan **ret, struct berth_error *err) {
        struct stat st;
        int seals = fcntl(memfd, F_GET_SEALS);

        if (seals < 0 || (seals & PLAN_SEALS) != PLAN_SEALS)
                return berth_error_set(err, EINVAL, "plan is not in a sealed memfd");
        if (fstat(memfd, &st) < 0)
                return berth_error_set(err, errno, "stat the plan");
        if (st.st_size <= 0 || st.st_size > PLAN_SIZE_MAX)
                return berth_error_set(err, EFBIG, "plan has %lld bytes; allowed are 1 to %u", (long long) st.st_size, PLAN_SIZE_MAX);

        size_t image_size = (size_t) st.st_size;
        size_t arena_size = sizeof(struct plan) + image_size * PLAN_ARENA_FACTOR + 4096;
        void *image = mmap(NULL, image_size, PROT_READ, MAP_PRIVATE, memfd, 0);
        if (image == MAP_FAILED)
                return berth_error_set(err, errno, "map the plan");
        void *memory = mmap(NULL, arena_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
                int code = errno;
                (void) munmap(image, image_size);
                return berth_error_set(err, code, "map memory for the plan");
        }

        struct plan *plan = memory;
        *plan = (struct plan){.image = image, .image_size = image_size, .arena = memory, .arena_size = arena_size};
        plan->arena_used = (sizeof *plan + 15) & ~(size_t) 15;

        int r = plan_decode(plan, err);
        if (r < 0) {
                plan_close(plan);
                return r;
        }
        *ret = plan;
        return 0;
}

void plan_close(struct plan *plan) {
        if (!plan)
                return;
        (void) munmap((void *) (uintptr_t) plan->image, plan->image_size);
        (void) munmap(plan->arena, plan->arena_size);
}

const struct keeper_plan *plan_keeper(const struct plan *plan) {
        return plan->has_keeper ? &plan->keeper : NULL;
}

const struct cgroup_limits *plan_cgroup_limits(const struct plan *plan) {
        return &plan->container.limits;
}

const char *plan_cgroup_path(const struct plan *plan) {
        return plan->container.cgroup_path;
}

bool plan_terminal(const struct plan *plan) {
        return plan->process.terminal;
}

const struct plan_namespace *plan_namespace_of(const struct plan_container *container, uint64_t flag) {
        for (uint32_t i = 0; i < container->n_namespaces; i++)
                if (container->namespaces[i].flag == flag)
                        return &container->namespaces[i];
        return NULL;
}
