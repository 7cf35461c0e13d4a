/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cgroup-stats.h"
#include "cleanup.h"
#include "state-file.h"
#include "stats-json.h"

struct events {
        const char *id;
        struct cgroup_layout layout;
        struct cgroup cgroup;
        struct cgroup_stats stats;
};

static int events_print(const struct events *events, const char *type, json_t *data, struct berth_error *err) {
        json_t *event = data ? json_pack("{s:s, s:s, s:o}", "type", type, "id", events->id, "data", data)
                             : json_pack("{s:s, s:s}", "type", type, "id", events->id);
        int r = command_print(event, JSON_COMPACT, err);

        json_decref(event);
        return r;
}

static int events_stats(struct events *events, struct berth_error *err) {
        int r = cgroup_stats_read(&events->layout, &events->cgroup, &events->stats, err);
        return r < 0 ? r : events_print(events, "stats", stats_json(&events->stats), err);
}

/* "5s", "500ms", "1m", as Go writes durations; a number alone is seconds. */
static int events_interval(const char *word, int *ret_ms) {
        static const struct {
                const char *unit;
                double ms;
        } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
        char *end;
        double value = strtod(word, &end);

        for (size_t i = 0; end != word && i < sizeof units / sizeof *units; i++)
                if (strcmp(end, units[i].unit) == 0 && value * units[i].ms >= 1 && value * units[i].ms <= INT32_MAX) {
                        *ret_ms = (int) (value * units[i].ms);
                        return 0;
                }
        return -EINVAL;
}

static int64_t events_now(void) {
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the container has ended: its statistics every so often, and each time it was short of memory. */
static int events_follow(struct events *events, int pidfd, int interval_ms, struct berth_error *err) {
        _cleanup_close_ int oom = -1;
        uint64_t kills = 0, now_kills = 0;
        int64_t next = events_now() + interval_ms;

        int r = cgroup_oom_watch(&events->layout, &events->cgroup, &oom, err);
        if (r == 0)
                r = cgroup_oom_kills(&events->layout, &events->cgroup, &kills, err);
        while (r == 0) {
                struct pollfd fds[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = oom, .events = POLLIN}};
                int64_t wait = next - events_now();
                int n = poll(fds, 2, wait > 0 ? (int) wait : 0);
                char drained[4096];
                if (n < 0 && errno != EINTR)
                        return berth_error_set(err, errno, "wait for container '%s'", events->id);
                if (n > 0 && fds[1].revents && read(oom, drained, sizeof drained) < 0 && errno != EAGAIN && errno != EINTR)
                        return berth_error_set(err, errno, "watch the memory of container '%s'", events->id);
                if (cgroup_oom_kills(&events->layout, &events->cgroup, &now_kills, NULL) == 0 && now_kills > kills) {
                        kills = now_kills;
                        r = events_print(events, "oom", NULL, err);
                }
                if (n > 0 && fds[0].revents)
                        return r;
                if (r == 0 && events_now() >= next) {
                        next = events_now() + interval_ms;
                        r = events_stats(events, err);
                }
        }
        return r;
}

int command_events(const struct command *command, int argc, char **argv, struct berth_error *err) {
        const char *interval = "5s";
        bool once = false;
        const struct option options[] = {
                {"stats", 0, OPTION_FLAG, &once, "print the statistics once", NULL},
                {"interval", 0, OPTION_TEXT, &interval, "time between statistics (5s)", "DURATION"},
        };
        const struct syntax syntax = {.verb = "events", .arguments = "ID", .options = options, .n = 2, .min = 1, .max = 1};
        _cleanup_state_ struct state state = {0};
        _cleanup_close_ int pidfd = -1;
        struct arguments arguments;
        int interval_ms;

        int r = options_parse(&syntax, argc, argv, &arguments, err);
        if (r != 0)
                return command_parsed(r);
        if (events_interval(interval, &interval_ms) < 0) {
                (void) berth_error_set(err, EINVAL, "events: '%.64s' is not a duration like 5s or 500ms", interval);
                return 1;
        }
        static struct events events;
        events.id = arguments.words[0];
        r = state_look(command, events.id, &state, err);
        if (r == 0 && state_open_process(&state, &pidfd) < 0)
                r = berth_error_set(err, EINVAL, "container not running: '%s' has ended", events.id);
        if (r == 0)
                r = state_cgroup(&state, &events.layout, &events.cgroup, err);
        if (r == 0)
                r = once ? events_stats(&events, err) : events_follow(&events, pidfd, interval_ms, err);
        return r < 0 ? 1 : 0;
}
