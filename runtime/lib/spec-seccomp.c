/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/un.h>

#include "cleanup.h"
#include "plan-internal.h"
#include "spec.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static const struct json_word spec_filter_flags[] = {
        {"SECCOMP_FILTER_FLAG_TSYNC", 0}, /* the process has one thread when the filter is loaded */
        {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
        {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
        {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
        {NULL, 0},
};

const char *spec_filter_flag_at(size_t index) {
        return json_word_at(spec_filter_flags, index);
}

static int spec_seccomp_flags(const struct json_at *seccomp, bool notifies, struct tlv_writer *writer, struct berth_error *err) {
        uint32_t flags = 0;

        int r = json_flags_member(seccomp, "flags", spec_filter_flags, &flags, err);
        /* It is about how one waits for a listener; the kernel refuses it where there is none. */
        if (!notifies)
                flags &= ~(uint32_t) SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
        if (r == 0 && flags)
                tlv_put(writer, PLAN_SECCOMP_FLAGS, &flags, sizeof flags);
        return r;
}

static int spec_seccomp_listener(const struct json_at *seccomp, bool notifies, struct tlv_writer *writer, struct berth_error *err) {
        const char *path = "", *metadata = "";
        struct sockaddr_un address;
        struct json_at at;

        int r = json_text_member(seccomp, "listenerMetadata", &metadata, err);
        if (r == 0)
                r = json_text_member(seccomp, "listenerPath", &path, err);
        if (r < 0)
                return r;
        bool none = !json_member(seccomp, "listenerPath", &at) || *path == '\0';
        if (none && *metadata)
                return json_fail(&at, err, "is missing, but there is listenerMetadata");
        if (none)
                return notifies ? json_fail(&at, err, "is missing, but SCMP_ACT_NOTIFY is used") : 0;
        if (path[0] != '/')
                return json_fail(&at, err, "'%s' is not an absolute path", path);
        if (strlen(path) >= sizeof address.sun_path)
                return json_fail(&at, err, "is longer than %zu bytes, which no socket's path may be", sizeof address.sun_path - 1);
        if (!notifies)
                return 0;
        json_t *text = json_string(metadata);
        _cleanup_free_ char *quoted = text ? json_write(text, JSON_ENCODE_ANY) : NULL;
        json_decref(text);
        if (!quoted)
                return berth_error_set(err, ENOMEM, "memory for the listener's metadata");
        tlv_put_pair(writer, PLAN_SECCOMP_LISTENER, path, strlen(path) + 1, quoted);
        return 0;
}

static bool spec_filter_notifies(const struct sock_filter *filter, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (filter[i].code == (BPF_RET | BPF_K) && (filter[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
                        return true;
        return false;
}

int spec_write_seccomp(const struct json_at *linux_at, const void *filter, size_t size, struct tlv_writer *writer, struct berth_error *err) {
        const struct sock_filter *program = filter;
        size_t n = size / sizeof *program;
        struct json_at seccomp;

        bool asked = linux_at->value && json_member(linux_at, "seccomp", &seccomp);
        if (!filter)
                return asked ? json_fail(&seccomp, err, "no compiled filter was given") : 0;
        if (size == 0 || size % sizeof *program != 0 || n > BPF_MAXINSNS)
                return berth_error_set(err, EINVAL, "a seccomp filter of %zu bytes is not one", size);
        tlv_put(writer, PLAN_SECCOMP, filter, size);

        bool notifies = spec_filter_notifies(program, n);
        if (!asked)
                return notifies ? berth_error_set(err, EINVAL, "the seccomp filter notifies, but linux.seccomp names no listener") : 0;
        int r = spec_seccomp_flags(&seccomp, notifies, writer, err);
        return r == 0 ? spec_seccomp_listener(&seccomp, notifies, writer, err) : r;
}
