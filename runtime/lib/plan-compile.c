/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-compile.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"
#include "fd.h"
#include "namespace.h"
#include "plan-internal.h"
#include "spec.h"
#include "sys.h"

static void cleanup_json(json_t **value) {
        json_decref(*value);
}
#define _cleanup_json_ __attribute__((cleanup(cleanup_json)))

/* What is said of every process of a container, and not only of its first: an exec's document has it as `linux` too. */
static int plan_write_process(const struct plan_sources *sources, const struct json_at *document, const struct json_at *process,
                              struct tlv_writer *writer, struct berth_error *err) {
        struct json_at linux_at;
        uint32_t preserved = sources->preserved_fds;
        size_t mark = tlv_begin(writer, PLAN_PROCESS);

        int r = spec_write_process(process, document == process, writer, err);
        if (r == 0 && json_member(document, "linux", &linux_at)) {
                r = json_check_object(&linux_at, err);
                if (r == 0)
                        r = spec_write_linux_process(&linux_at, writer, err);
        }
        if (r == 0)
                r = spec_write_seccomp(&linux_at, sources->filter, sources->filter_size, writer, err);
        if (r < 0)
                return r;
        if (sources->no_new_keyring)
                tlv_put(writer, PLAN_NO_NEW_KEYRING, NULL, 0);
        if (preserved > 0)
                tlv_put(writer, PLAN_PRESERVED_FDS, &preserved, sizeof preserved);
        tlv_end(writer, mark);
        return 0;
}

static int plan_write_inside(const struct plan_sources *sources, const struct json_at *config, const struct json_at *process,
                             const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err) {
        int r = plan_write_process(sources, config, process, writer, err);
        if (r < 0)
                return r;
        size_t mark = tlv_begin(writer, PLAN_CONTAINER);
        r = spec_write_hooks(config, keeper, writer, err);
        if (r == 0)
                r = spec_write_container(config, writer, err);
        if (r == 0)
                r = spec_write_mounts(config, keeper, writer, err);
        if (r < 0)
                return r;
        if (sources->no_pivot)
                tlv_put(writer, PLAN_NO_PIVOT, NULL, 0);
        tlv_end(writer, mark);
        return 0;
}

/* Another runtime reads config.json itself; its keeper knows of the terminal and the cgroup. */
static int plan_write_elsewhere(const struct json_at *config, const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        size_t mark = tlv_begin(writer, PLAN_PROCESS);
        int r = spec_write_process(process, false, writer, err);
        if (r < 0)
                return r;
        tlv_end(writer, mark);
        mark = tlv_begin(writer, PLAN_CONTAINER);
        r = spec_write_container(config, writer, err);
        if (r == 0)
                tlv_end(writer, mark);
        return r;
}

static int plan_write_container(const struct plan_sources *sources, const struct json_at *config, const struct json_at *keeper,
                                struct tlv_writer *writer, struct berth_error *err) {
        struct json_at process, runtime;

        int r = spec_check_document(config, err);
        if (r == 0)
                r = json_required(config, "process", &process, err);
        if (r == 0)
                r = json_check_object(&process, err);
        if (r < 0)
                return r;
        r = json_member(keeper, "runtime", &runtime) ? plan_write_elsewhere(config, &process, writer, err)
                                                     : plan_write_inside(sources, config, &process, keeper, writer, err);
        if (r < 0)
                return r;

        size_t mark = tlv_begin(writer, PLAN_KEEPER);
        r = spec_write_keeper(keeper, writer, err);
        if (r == 0)
                tlv_end(writer, mark);
        return r;
}

static int plan_seal(const struct tlv_writer *writer, int *ret_fd, struct berth_error *err) {
        _cleanup_close_ int fd = memfd_create("berth-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

        if (fd < 0 && errno == EINVAL) /* before kernel 6.3 */
                fd = memfd_create("berth-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return berth_error_set(err, errno, "make a memory file for the plan");
        int r = fd_write_all(fd, writer->data, writer->size);
        if (r < 0)
                return berth_error_set(err, -r, "write the plan");
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return berth_error_set(err, errno, "seal the plan");
        return give_fd(ret_fd, &fd);
}

int plan_compile_documents(const struct plan_sources *sources, const json_t *config, const json_t *keeper, int *ret_fd, struct berth_error *err) {
        struct json_at config_at = {.value = (json_t *) (uintptr_t) config}, keeper_at = {.key = "keeper", .value = (json_t *) (uintptr_t) keeper};
        struct plan_header header = {.magic = PLAN_MAGIC, .version = PLAN_VERSION_MAX};
        struct tlv_writer writer = {.limit = PLAN_SIZE_MAX, .capacity = 16384};
        _cleanup_free_ uint8_t *data = NULL;

        writer.data = malloc(writer.capacity);
        if (!writer.data)
                return berth_error_set(err, ENOMEM, "memory for the plan");
        writer.size = sizeof header;
        int r = keeper ? plan_write_container(sources, &config_at, &keeper_at, &writer, err)
                       : plan_write_process(sources, &config_at, &config_at, &writer, err);
        data = writer.data;
        if (r < 0)
                return r;
        if (writer.error)
                return berth_error_set(err, -writer.error, "the plan is larger than %u bytes", PLAN_SIZE_MAX);
        header.size = (uint32_t) writer.size;
        memcpy(writer.data, &header, sizeof header);
        return plan_seal(&writer, ret_fd, err);
}

int plan_compile(const struct plan_sources *sources, int *ret_fd, struct berth_error *err) {
        _cleanup_json_ json_t *config = NULL, *keeper = NULL;

        int r = json_parse(sources->config, sources->config_size, sources->keeper ? "config.json" : "process", &config, err);
        if (r == 0 && sources->keeper)
                r = json_parse(sources->keeper, sources->keeper_size, "keeper", &keeper, err);
        return r < 0 ? r : plan_compile_documents(sources, config, keeper, ret_fd, err);
}
