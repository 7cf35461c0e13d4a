/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "plan-check.h"
#include "plan-tlv.h"

/* The shim's side: an image of any bytes in a sealed memfd. The header is mostly made right, so that the records are reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct berth_error err = {0};
        struct plan *plan = NULL;
        int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        must(fd >= 0 && write(fd, data, size) == (ssize_t) size, "a memfd");
        if (size >= sizeof(struct plan_header) && data[sizeof(struct plan_header) - 1] != 0xff) {
                struct plan_header header = {.magic = PLAN_MAGIC, .version = PLAN_VERSION_MAX, .size = (uint32_t) size};
                must(pwrite(fd, &header, sizeof header, 0) == sizeof header, "a header");
        }
        must(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0, "seals");
        int r = plan_open(fd, &plan, &err);
        if (r < 0) {
                must_explain(r, &err);
        } else {
                plan_check_whole(plan);
                plan_close(plan);
        }
        (void) close(fd);
        return 0;
}
