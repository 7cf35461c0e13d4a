/* SPDX-License-Identifier: Apache-2.0 */
#include "paused.h"

int command_resume(const struct command *command, int argc, char **argv, struct berth_error *err) {
        return paused_set(command, "resume", false, argc, argv, err);
}
