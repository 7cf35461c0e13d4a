/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"

/* Longer lists than we make ourselves come from elsewhere; what does not fit stays. */
#define LIST_MAX 8192

static void format_number(char text[16], int64_t value) {
        if (value < 0)
                (void) strcpy(text, "*");
        else
                (void) snprintf(text, 16, "%u", (unsigned) value);
}

static int write_rule(int fd, char type, const struct cgroup_device_rule *rule, struct berth_error *err) {
        char major[16], minor[16], text[64];
        format_number(major, rule->major);
        format_number(minor, rule->minor);
        int length = snprintf(text, sizeof(text), "%c %s:%s %.4s", type, major, minor, rule->access);
        if (write(fd, text, (size_t) length) < 0)
                return berth_error_set(err, errno, "write '%s' to the cgroup file devices.%s", text, rule->allow ? "allow" : "deny");
        return 0;
}

struct lists {
        int allow, deny;
};

static void cleanup_lists(struct lists *lists) {
        cleanup_close(&lists->allow);
        cleanup_close(&lists->deny);
}
#define _cleanup_lists_ __attribute__((cleanup(cleanup_lists)))

static int open_lists(int directory, struct lists *ret, struct berth_error *err) {
        ret->allow = openat(directory, "devices.allow", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (ret->allow < 0)
                return berth_error_set(err, errno, "open the cgroup file devices.allow");
        ret->deny = openat(directory, "devices.deny", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (ret->deny < 0)
                return berth_error_set(err, errno, "open the cgroup file devices.deny");
        return 0;
}

static bool is_everything(const struct cgroup_device_rule *rule) {
        return rule->type == 'a' && rule->major < 0 && rule->minor < 0 && strnlen(rule->access, 4) == 3;
}

static int write_everything(int fd, bool allow, struct berth_error *err) {
        return write(fd, "a", 1) < 0 ? berth_error_set(err, errno, "write 'a' to the cgroup file devices.%s", allow ? "allow" : "deny") : 0;
}

static int write_any_rule(const struct lists *lists, const struct cgroup_device_rule *rule, struct berth_error *err) {
        int fd = rule->allow ? lists->allow : lists->deny;
        if (is_everything(rule))
                return write_everything(fd, rule->allow, err);
        if (rule->type != 'a')
                return write_rule(fd, rule->type, rule, err);
        /* The kernel takes 'a' for everything, whatever follows: a narrower rule is two rules. */
        int r = write_rule(fd, 'b', rule, err);
        return r == 0 ? write_rule(fd, 'c', rule, err) : r;
}

static int write_rules(const struct lists *lists, const struct cgroup_device_rule *rules, uint32_t n, struct berth_error *err) {
        int r = 0;
        for (uint32_t i = 0; r == 0 && i < n; i++)
                r = write_any_rule(lists, &rules[i], err);
        return r;
}

int cgroup_v1_apply_devices(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        _cleanup_lists_ struct lists lists = {-1, -1};
        int r = open_lists(directory, &lists, err);
        return r == 0 ? write_rules(&lists, limits->device_rules, limits->n_device_rules, err) : r;
}

/* "c 1:3 rwm", "b *:* m" */
static bool parse_entry(const char *line, struct cgroup_device_rule *ret) {
        char major[16], minor[16];
        *ret = (struct cgroup_device_rule){.allow = true, .major = -1, .minor = -1};
        if (sscanf(line, "%c %15[^:]:%15s %3s", &ret->type, major, minor, ret->access) != 4)
                return false;
        if (major[0] != '*')
                ret->major = strtoll(major, NULL, 10);
        if (minor[0] != '*')
                ret->minor = strtoll(minor, NULL, 10);
        return true;
}

/* What the rules leave of the entry's accesses: the last rule of that very device that names one decides. */
static void left_over(const struct cgroup_limits *limits, const struct cgroup_device_rule *entry, char surplus[4]) {
        size_t n = 0;
        for (const char *access = entry->access; *access; access++) {
                bool allowed = false;
                for (uint32_t i = 0; i < limits->n_device_rules; i++) {
                        const struct cgroup_device_rule *rule = &limits->device_rules[i];
                        bool same = (rule->type == entry->type || rule->type == 'a') && rule->major == entry->major && rule->minor == entry->minor;
                        if ((same || is_everything(rule)) && memchr(rule->access, *access, strnlen(rule->access, 4)))
                                allowed = rule->allow;
                }
                if (!allowed)
                        surplus[n++] = *access;
        }
        surplus[n] = '\0';
}

/*
 * A list that denies first and then allows would take every device away for a moment. Where the group has such a list already, what is new
 * is allowed first and then what is too much denied.
 */
int cgroup_v1_replace_devices(int directory, const struct cgroup_limits *limits, struct berth_error *err) {
        char text[LIST_MAX], *rest = text, *line;
        const struct cgroup_device_rule *rules = limits->device_rules;
        int r = cgroup_file_read(directory, "devices.list", text, sizeof(text));
        if (r < 0)
                return berth_error_set(err, -r, "read the cgroup file devices.list");
        bool begins_denied = limits->n_device_rules > 0 && is_everything(&rules[0]) && !rules[0].allow;
        if (text[0] == 'a' || !begins_denied)
                return cgroup_v1_apply_devices(directory, limits, err);
        _cleanup_lists_ struct lists lists = {-1, -1};
        r = open_lists(directory, &lists, err);
        if (r == 0)
                r = write_rules(&lists, rules + 1, limits->n_device_rules - 1, err);
        while (r == 0 && (line = strsep(&rest, "\n"))) {
                struct cgroup_device_rule entry, surplus;
                if (!parse_entry(line, &entry))
                        continue;
                surplus = entry;
                left_over(limits, &entry, surplus.access);
                if (surplus.access[0])
                        r = write_rule(lists.deny, entry.type, &surplus, err);
        }
        return r;
}
