/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "plan-check.h"

/* The daemon's document beside config.json. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char config[] = "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"x\"},\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},"
                                     "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\"}]}}";
        (void) plan_check_document(config, sizeof config - 1, (const char *) data, size);
        return 0;
}
