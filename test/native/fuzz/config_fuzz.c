/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "plan-check.h"

/* config.json: refused with a sentence, or a plan that opens. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char keeper[] = "{\"id\":\"a\",\"directory\":\"/d\",\"rootfs\":{\"kind\":\"directory\",\"path\":\"/r\"},"
                                     "\"log\":{\"driver\":\"none\"},\"stdin\":{\"open\":false,\"once\":false},\"network\":{\"kind\":\"none\"}}";
        (void) plan_check_document((const char *) data, size, keeper, sizeof keeper - 1);
        return 0;
}
