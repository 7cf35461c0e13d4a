/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "plan-check.h"

/* The process object of an exec. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        (void) plan_check_document((const char *) data, size, NULL, 0);
        return 0;
}
