/* SPDX-License-Identifier: Apache-2.0 */
#include "kept-plan.h"

#include "launch-plan.h"

int kept_plan_hooks(const struct command *command, int directory, const struct state *state, enum plan_hook_kind kind, const char *status, pid_t pid,
                    struct berth_error *err) {
        struct plan *plan = NULL;
        json_t *config = NULL;

        int r = state_directory_read(directory, "config.json", &config, err);
        if (r == 0)
                r = launch_plan(command, state->id, state->bundle, config, &plan, err);
        if (r == 0)
                r = kind == PLAN_HOOK_POSTSTOP ? hooks_run_all(&plan->container, kind, status, pid, err)
                                               : hooks_run(&plan->container, kind, status, pid, err);
        plan_close(plan);
        json_decref(config);
        return r;
}
