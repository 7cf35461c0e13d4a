/* SPDX-License-Identifier: Apache-2.0 */
#include "capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITIES_MAX 64

int capabilities_read(struct capabilities *ret, struct berth_error *err) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2];

        if (syscall(SYS_capget, &header, data) < 0)
                return berth_error_set(err, errno, "read capabilities");
        *ret = (struct capabilities){
                .effective = data[0].effective | (uint64_t) data[1].effective << 32,
                .permitted = data[0].permitted | (uint64_t) data[1].permitted << 32,
                .inheritable = data[0].inheritable | (uint64_t) data[1].inheritable << 32,
        };
        return 0;
}

int capabilities_drop_bounding(uint64_t keep, struct berth_error *err) {
        for (int i = 0; i < CAPABILITIES_MAX; i++) {
                if (keep >> i & 1)
                        continue;
                if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
                        continue;
                if (errno == EINVAL) /* one behind the kernel's last */
                        break;
                return berth_error_set(err, errno, "drop capability %d from the bounding set", i);
        }
        return 0;
}

int capabilities_apply(const struct plan_process *plan, const struct capabilities *own, struct berth_error *err) {
        uint64_t permitted = plan->capabilities[PLAN_PERMITTED] & own->permitted;
        uint64_t effective = plan->capabilities[PLAN_EFFECTIVE] & permitted;
        uint64_t inheritable = plan->capabilities[PLAN_INHERITABLE] & (own->permitted | own->inheritable);
        uint64_t ambient = plan->capabilities[PLAN_AMBIENT] & permitted & inheritable;
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {
                {.effective = (uint32_t) effective, .permitted = (uint32_t) permitted, .inheritable = (uint32_t) inheritable},
                {.effective = (uint32_t) (effective >> 32), .permitted = (uint32_t) (permitted >> 32), .inheritable = (uint32_t) (inheritable >> 32)},
        };

        if (syscall(SYS_capset, &header, data) < 0)
                return berth_error_set(err, errno, "set capabilities");
        if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "stop keeping capabilities");
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return berth_error_set(err, errno, "clear ambient capabilities");
        for (unsigned i = 0; i < CAPABILITIES_MAX; i++)
                if (ambient >> i & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
                        return berth_error_set(err, errno, "raise ambient capability %u", i);
        return 0;
}
