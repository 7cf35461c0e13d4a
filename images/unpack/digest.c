/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include "confine.h"
#include "sha256.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BUFFER = 128 << 10 };

static const int digest_calls[] = {SYS_read, SYS_write, SYS_exit_group};

static int drop(bool prompt, struct berth_error *err) {
        if (!prompt)
                (void) setpriority(PRIO_PROCESS, 0, 19);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return berth_error_set(err, errno, "give up new privileges");
        const struct confine_rights rights = {
                .address_space = 64 << 20,
                .file_size = 1 << 20,
                .cpu_seconds = 3600,
                .descriptors = 8,
                .syscalls = digest_calls,
                .n_syscalls = sizeof digest_calls / sizeof digest_calls[0],
        };
        return confine_drop(&rights, err);
}

int digest_print(int file, bool prompt, struct berth_error *err) {
        uint8_t buffer[BUFFER];
        struct sha256 hash;
        sha256_init(&hash);
        int r = drop(prompt, err);
        if (r < 0)
                return r;
        for (;;) {
                ssize_t size = read(file, buffer, sizeof buffer);
                if (size < 0 && errno != EINTR)
                        return berth_error_set(err, errno, "read the file: %s", strerror(errno));
                if (size == 0)
                        break;
                if (size > 0)
                        sha256_update(&hash, buffer, (size_t) size);
        }
        unsigned long long total = hash.total;
        uint8_t digest[32];
        sha256_final(&hash, digest);
        char hex[65], line[160];
        for (unsigned i = 0; i < 32; i++)
                (void) snprintf(hex + (size_t) 2 * i, 3, "%02x", digest[i]);
        int size = snprintf(line, sizeof line, "{\"digest\":\"sha256:%s\",\"size\":%llu}\n", hex, total);
        return write(STDOUT_FILENO, line, (size_t) size) == size ? 0 : berth_error_set(err, EPIPE, "tell the digest");
}
