/* SPDX-License-Identifier: Apache-2.0 */
#include "state-file.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "process-identity.h"

#define STATE_NAME "state.json"

void state_close(struct state *state) {
        json_decref(state->document);
        *state = (struct state){0};
}

/* One that does not hold the member is worth nothing: NULL. */
static json_t *state_with(json_t *object, const char *key, json_t *value) {
        if (object && json_object_set_new(object, key, value) == 0)
                return object;
        if (!object)
                json_decref(value);
        json_decref(object);
        return NULL;
}

/* Controllers with their directories, as runc's state has them; the unified hierarchy's name is empty. */
static json_t *state_cgroup_paths(const struct state *state, const struct cgroup_layout *layout) {
        json_t *paths = json_object();

        for (uint32_t i = 0; state->cgroup && i < layout->n; i++) {
                char names[sizeof layout->hierarchy[i].controllers], path[2 * CGROUP_PATH_MAX], *rest = names;
                (void) snprintf(path, sizeof path, "%s%s", layout->hierarchy[i].mount, state->cgroup);
                (void) snprintf(names, sizeof names, "%s", layout->hierarchy[i].unified ? "" : layout->hierarchy[i].controllers);
                for (char *name; (name = strsep(&rest, ","));)
                        paths = state_with(paths, name, json_string(path));
        }
        return paths;
}

static json_t *state_namespace_paths(const struct state *state) {
        static const char *const kinds[][2] = {{"NEWIPC", "ipc"}, {"NEWUTS", "uts"},   {"NEWNET", "net"},       {"NEWPID", "pid"},
                                               {"NEWNS", "mnt"},  {"NEWUSER", "user"}, {"NEWCGROUP", "cgroup"}, {"NEWTIME", "time"}};
        json_t *paths = json_object();
        char path[64];

        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
                (void) snprintf(path, sizeof path, "/proc/%d/ns/%s", (int) state->pid, kinds[i][1]);
                paths = state_with(paths, kinds[i][0], json_string(path));
        }
        return paths;
}

int state_write(int directory, const struct state *state, const struct cgroup_layout *layout, struct berth_error *err) {
        json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:b, s:b, s:o, s:o}", "id", state->id, "bundle", state->bundle, "rootfs",
                                     state->rootfs, "created", state->created, "init_process_pid", (int) state->pid, "init_process_start",
                                     (json_int_t) state->start_time, "own_pids", state->own_pids, "hooked", state->hooked, "cgroup_paths",
                                     state_cgroup_paths(state, layout), "namespace_paths", state_namespace_paths(state));

        if (state->cgroup)
                document = state_with(document, "cgroup", json_string(state->cgroup));
        if (state->took_links)
                document = state_with(document, "links_up", json_integer((json_int_t) state->links_up));
        if (state->annotations)
                document = state_with(document, "annotations", json_incref((json_t *) (uintptr_t) state->annotations));
        _cleanup_free_ char *text = document ? json_write(document, JSON_COMPACT) : NULL;
        json_decref(document);
        if (!text)
                return berth_error_set(err, ENOMEM, "memory for the state of container '%s'", state->id);
        return state_directory_write(directory, STATE_NAME, text, strlen(text), err);
}

static int state_parse(struct state *state) {
        json_int_t start_time = 0, links_up = 0;
        int pid = 0, own_pids = 0, hooked = 0;

        if (json_unpack(state->document, "{s:s, s:s, s:s, s:s, s:i, s:I, s:b, s:b, s?s, s?I, s?o}", "id", &state->id, "bundle", &state->bundle,
                        "rootfs", &state->rootfs, "created", &state->created, "init_process_pid", &pid, "init_process_start", &start_time, "own_pids",
                        &own_pids, "hooked", &hooked, "cgroup", &state->cgroup, "links_up", &links_up, "annotations", &state->annotations) < 0)
                return -EBADMSG;
        if (pid <= 0 || (state->cgroup && cgroup_path_check(state->cgroup, NULL) < 0))
                return -EBADMSG;
        if (state->annotations && !json_is_object(state->annotations))
                return -EBADMSG;
        state->pid = pid;
        state->start_time = (uint64_t) start_time;
        state->own_pids = own_pids != 0;
        state->hooked = hooked != 0;
        state->took_links = json_object_get(state->document, "links_up") != NULL;
        state->links_up = (uint64_t) links_up;
        return 0;
}

int state_read(int directory, const char *id, struct state *ret, struct berth_error *err) {
        _cleanup_state_ struct state state = {0};

        if (faccessat(directory, STATE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
                (void) berth_error_set(err, EINVAL, "container '%s' is being made, or its making was killed; delete --force removes it", id);
                return -ENOENT;
        }
        if (state_directory_read(directory, STATE_NAME, &state.document, err) < 0 || state_parse(&state) < 0)
                return berth_error_set(err, EBADMSG, "the state of container '%s' is damaged; delete --force removes it", id);
        state.waiting = state_directory_waits(directory);
        *ret = state;
        state = (struct state){0};
        return 0;
}

int state_take(const struct command *command, const char *id, int *ret_directory, struct state *ret, struct berth_error *err) {
        _cleanup_close_ int directory = -1;

        int r = state_directory_open_locked(command, id, &directory, err);
        if (r == 0)
                r = state_read(directory, id, ret, err);
        return r < 0 ? r : give_fd(ret_directory, &directory);
}

int state_look(const struct command *command, const char *id, struct state *ret, struct berth_error *err) {
        _cleanup_close_ int directory = -1;
        int r = state_directory_open(command, id, &directory, err);

        return r < 0 ? r : state_read(directory, id, ret, err);
}

int state_open_process(const struct state *state, int *ret_pidfd) {
        return process_open_exact(state->pid, state->start_time, ret_pidfd, NULL);
}

int state_cgroup(const struct state *state, struct cgroup_layout *layout, struct cgroup *ret, struct berth_error *err) {
        if (!state->cgroup)
                return berth_error_set(err, EINVAL, "container '%s' has no cgroup", state->id);
        *ret = (struct cgroup){0};
        (void) snprintf(ret->path, sizeof ret->path, "%s", state->cgroup);
        return layout->n == 0 ? cgroup_detect(layout, err) : 0;
}

int state_thaw_killed(const struct state *state, struct berth_error *err) {
        struct cgroup_layout layout = {0};
        struct cgroup cgroup;

        int r = state->cgroup ? state_cgroup(state, &layout, &cgroup, err) : 0;
        if (r == 0 && state->cgroup)
                cgroup_thaw_killed(&layout, &cgroup);
        return r;
}

int state_status(const struct state *state, struct cgroup_layout *layout, enum state_status *ret, struct berth_error *err) {
        _cleanup_close_ int pidfd = -1;
        struct cgroup cgroup;

        int r = state_open_process(state, &pidfd);
        if (r == -ESRCH) {
                *ret = STATE_STOPPED;
                return 0;
        }
        if (r < 0)
                return berth_error_set(err, -r, "look at process %d of container '%s'", (int) state->pid, state->id);
        r = state->cgroup ? state_cgroup(state, layout, &cgroup, err) : 0;
        if (r == 0)
                *ret = state->cgroup && cgroup_is_frozen(layout, &cgroup) ? STATE_PAUSED : state->waiting ? STATE_CREATED : STATE_RUNNING;
        return r;
}

const char *state_status_word(enum state_status status) {
        static const char *const words[] = {"created", "running", "paused", "stopped"};
        return words[status];
}

json_t *state_to_json(const struct state *state, enum state_status status, const char *owner) {
        json_t *value = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "ociVersion", COMMAND_OCI_VERSION, "id", state->id, "pid",
                                  status == STATE_STOPPED ? 0 : (int) state->pid, "status", state_status_word(status), "bundle", state->bundle,
                                  "rootfs", state->rootfs, "created", state->created);

        if (value && state->annotations)
                (void) json_object_set(value, "annotations", state->annotations);
        if (value && owner)
                (void) json_object_set_new(value, "owner", json_string(owner));
        return value;
}
