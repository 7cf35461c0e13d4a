/* SPDX-License-Identifier: Apache-2.0 */
#include "kept-plan.h"

#include "container-network.h"
#include "launch-plan.h"

static int kept_plan_open(const struct command *command, int directory, const struct state *state, struct plan **ret, struct berth_error *err) {
        json_t *config = NULL;

        int r = state_directory_read(directory, "config.json", &config, err);
        if (r == 0)
                r = launch_plan(command, state->id, state->bundle, config, ret, err);
        json_decref(config);
        return r;
}

int kept_plan_return_links(const struct command *command, int directory, const struct state *state, int netns, struct berth_error *err) {
        struct plan *plan = NULL;

        int r = kept_plan_open(command, directory, state, &plan, err);
        if (r == 0)
                r = container_network_recover(plan, netns, state->links_up, err);
        plan_close(plan);
        return r;
}

int kept_plan_hooks(const struct command *command, int directory, const struct state *state, enum plan_hook_kind kind, const char *status, pid_t pid,
                    struct berth_error *err) {
        struct plan *plan = NULL;

        int r = kept_plan_open(command, directory, state, &plan, err);
        if (r == 0)
                r = kind == PLAN_HOOK_POSTSTOP ? hooks_run_all(&plan->container, kind, status, pid, err)
                                               : hooks_run(&plan->container, kind, status, pid, err);
        plan_close(plan);
        return r;
}
