/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "cgroup-internal.h"

/*
 * The kernel checks such values against each other at every write, so a new set may have to go in in another order, which depends on the old
 * set. Each round writes what is accepted; a round that changes nothing ends it.
 */
int cgroup_settle(int directory, struct cgroup_value *values, size_t n, struct berth_error *err) {
        for (;;) {
                const struct cgroup_value *refused = NULL;
                bool progress = false;
                for (size_t i = 0; i < n; i++) {
                        if (!values[i].asked)
                                continue;
                        int r = cgroup_file_write(directory, values[i].file, values[i].text);
                        if (r < 0 && r != -EINVAL)
                                return cgroup_file_failed(values[i].file, values[i].text, -r, err);
                        if (r < 0) {
                                refused = refused ? refused : &values[i];
                                continue;
                        }
                        values[i].asked = false;
                        progress = true;
                }
                if (!refused)
                        return 0;
                if (!progress)
                        return cgroup_file_failed(refused->file, refused->text, EINVAL, err);
        }
}

void cgroup_value_set(struct cgroup_value *value, const char *file, int64_t number) {
        *value = (struct cgroup_value){.file = file, .asked = number != CGROUP_UNSET};
        if (value->asked)
                (void) snprintf(value->text, sizeof(value->text), "%" PRId64, number);
}
