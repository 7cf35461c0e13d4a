/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-compile.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
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

static int plan_write_filter_flags(const struct json_at *seccomp, struct tlv_writer *writer, struct berth_error *err) {
        static const struct {
                const char *name;
                uint32_t flag;
        } known[] = {
                {"SECCOMP_FILTER_FLAG_TSYNC", 0}, /* the process has one thread when the filter is loaded */
                {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
                {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
        };
        struct json_at list;
        uint32_t flags = 0;
        size_t n;

        int r = json_list_member(seccomp, "flags", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                const char *name = NULL;
                size_t at = 0;
                r = json_text(&item, &name, err);
                while (r == 0 && at < sizeof known / sizeof *known && strcmp(known[at].name, name) != 0)
                        at++;
                if (r == 0 && at == sizeof known / sizeof *known)
                        return json_fail(&item, err, "unknown flag '%s'", name);
                if (r == 0)
                        flags |= known[at].flag;
        }
        if (r == 0 && flags)
                tlv_put(writer, PLAN_SECCOMP_FLAGS, &flags, sizeof flags);
        return r;
}

static int plan_write_filter(const struct plan_sources *sources, const struct json_at *config, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at linux_at, seccomp;
        bool asked = json_member(config, "linux", &linux_at) && json_member(&linux_at, "seccomp", &seccomp);

        if (!sources->filter)
                return asked ? json_fail(&seccomp, err, "no compiled filter was given") : 0;
        if (sources->filter_size == 0 || sources->filter_size % sizeof(struct sock_filter) != 0 ||
            sources->filter_size / sizeof(struct sock_filter) > BPF_MAXINSNS)
                return berth_error_set(err, EINVAL, "a seccomp filter of %zu bytes is not one", sources->filter_size);
        tlv_put(writer, PLAN_SECCOMP, sources->filter, sources->filter_size);
        return asked ? plan_write_filter_flags(&seccomp, writer, err) : 0;
}

static int plan_write_container(const struct plan_sources *sources, const struct json_at *config, const struct json_at *keeper,
                                struct tlv_writer *writer, struct berth_error *err) {
        struct json_at process;

        int r = json_required(config, "process", &process, err);
        if (r == 0)
                r = json_check_object(&process, err);
        if (r < 0)
                return r;
        size_t mark = tlv_begin(writer, PLAN_PROCESS);
        r = spec_write_process(&process, writer, err);
        if (r == 0)
                r = plan_write_filter(sources, config, writer, err);
        if (r < 0)
                return r;
        tlv_end(writer, mark);

        mark = tlv_begin(writer, PLAN_CONTAINER);
        r = spec_write_hooks(config, keeper, writer, err);
        if (r == 0)
                r = spec_write_container(config, writer, err);
        if (r < 0)
                return r;
        tlv_end(writer, mark);

        mark = tlv_begin(writer, PLAN_KEEPER);
        r = spec_write_keeper(keeper, writer, err);
        if (r == 0)
                tlv_end(writer, mark);
        return r;
}

static int plan_write_exec(const struct plan_sources *sources, const struct json_at *process, struct tlv_writer *writer, struct berth_error *err) {
        size_t mark = tlv_begin(writer, PLAN_PROCESS);

        int r = spec_write_process(process, writer, err);
        if (r == 0)
                r = plan_write_filter(sources, process, writer, err);
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

int plan_compile(const struct plan_sources *sources, int *ret_fd, struct berth_error *err) {
        _cleanup_json_ json_t *config = NULL, *keeper = NULL;
        struct plan_header header = {.magic = PLAN_MAGIC, .version = PLAN_VERSION_MAX};
        _cleanup_free_ uint8_t *data = NULL;

        int r = json_parse(sources->config, sources->config_size, sources->keeper ? "config.json" : "process", &config, err);
        if (r == 0 && sources->keeper)
                r = json_parse(sources->keeper, sources->keeper_size, "keeper", &keeper, err);
        if (r < 0)
                return r;

        struct json_at config_at = {.value = config}, keeper_at = {.key = "keeper", .value = keeper};
        struct tlv_writer writer = {.limit = PLAN_SIZE_MAX, .capacity = 16384};
        writer.data = malloc(writer.capacity);
        if (!writer.data)
                return berth_error_set(err, ENOMEM, "memory for the plan");
        writer.size = sizeof header;
        r = sources->keeper ? plan_write_container(sources, &config_at, &keeper_at, &writer, err)
                            : plan_write_exec(sources, &config_at, &writer, err);
        data = writer.data;
        if (r < 0)
                return r;
        if (writer.error)
                return berth_error_set(err, -writer.error, "the plan is larger than %u bytes", PLAN_SIZE_MAX);
        header.size = (uint32_t) writer.size;
        memcpy(writer.data, &header, sizeof header);
        return plan_seal(&writer, ret_fd, err);
}
