/* SPDX-License-Identifier: Apache-2.0 */
#include "update-flags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum update_kind { UPDATE_NUMBER, UPDATE_SIZE, UPDATE_TEXT };

static const struct {
        const char *name, *section, *key;
        enum update_kind kind;
        const char *metavar, *help;
} update_flags[UPDATE_FLAGS] = {
        [UPDATE_BLKIO_WEIGHT] = {"blkio-weight", "blockIO", "weight", UPDATE_NUMBER, "N", "weight of block I/O, 10 to 1000"},
        [UPDATE_CPU_PERIOD] = {"cpu-period", "cpu", "period", UPDATE_NUMBER, "US", "the period that the quota is of"},
        [UPDATE_CPU_QUOTA] = {"cpu-quota", "cpu", "quota", UPDATE_NUMBER, "US", "CPU time in a period; -1: no limit"},
        [UPDATE_CPU_BURST] = {"cpu-burst", "cpu", "burst", UPDATE_NUMBER, "US", "CPU time that may be saved up"},
        [UPDATE_CPU_SHARE] = {"cpu-share", "cpu", "shares", UPDATE_NUMBER, "N", "weight of CPU time"},
        [UPDATE_CPU_RT_PERIOD] = {"cpu-rt-period", "cpu", "realtimePeriod", UPDATE_NUMBER, "US", "the period of the real-time limit"},
        [UPDATE_CPU_RT_RUNTIME] = {"cpu-rt-runtime", "cpu", "realtimeRuntime", UPDATE_NUMBER, "US", "real-time CPU time in a period"},
        [UPDATE_CPU_IDLE] = {"cpu-idle", "cpu", "idle", UPDATE_NUMBER, "0|1", "only what others leave of the CPU"},
        [UPDATE_CPUSET_CPUS] = {"cpuset-cpus", "cpu", "cpus", UPDATE_TEXT, "LIST", "CPUs to use"},
        [UPDATE_CPUSET_MEMS] = {"cpuset-mems", "cpu", "mems", UPDATE_TEXT, "LIST", "memory nodes to use"},
        [UPDATE_MEMORY] = {"memory", "memory", "limit", UPDATE_SIZE, "BYTES", "limit of memory"},
        [UPDATE_MEMORY_RESERVATION] = {"memory-reservation", "memory", "reservation", UPDATE_SIZE, "BYTES", "what is left when memory is short"},
        [UPDATE_MEMORY_SWAP] = {"memory-swap", "memory", "swap", UPDATE_SIZE, "BYTES", "limit of memory and swap together; -1: no limit"},
        [UPDATE_PIDS_LIMIT] = {"pids-limit", "pids", "limit", UPDATE_NUMBER, "N", "how many processes; -1: no limit"},
};

void update_flags_describe(struct option *ret, const char **words) {
        for (size_t i = 0; i < UPDATE_FLAGS; i++)
                ret[i] = (struct option){
                        .name = update_flags[i].name,
                        .kind = OPTION_TEXT,
                        .value = &words[i],
                        .help = update_flags[i].help,
                        .metavar = update_flags[i].metavar,
                };
}

/* "512m", "1.5GiB" is not: whole numbers with a unit of 1024. */
static int update_number(const char *word, bool unit, int64_t *ret) {
        static const char units[] = "bkmgtp";
        char *end;

        errno = 0;
        long long value = strtoll(word, &end, 10);
        if (errno != 0 || end == word)
                return -EINVAL;
        if (unit && *end) {
                char letter[2] = {(char) (*end | 0x20), '\0'};
                const char *found = strstr(units, letter);
                int shift = found ? (int) (found - units) * 10 : -1;
                if (shift < 0 || value < 0 || value > (INT64_MAX >> shift))
                        return -EINVAL;
                value <<= shift;
                end++;
                if (shift > 0 && (strcasecmp(end, "b") == 0 || strcasecmp(end, "ib") == 0))
                        end += strlen(end);
        }
        if (*end)
                return -EINVAL;
        *ret = value;
        return 0;
}

static int update_flag_value(enum update_flag flag, const char *word, json_t **ret, struct berth_error *err) {
        int64_t number = 0;

        if (update_flags[flag].kind == UPDATE_TEXT) {
                *ret = json_string(word);
        } else {
                if (update_number(word, update_flags[flag].kind == UPDATE_SIZE, &number) < 0)
                        return berth_error_set(err, EINVAL, "update: invalid value for --%s: '%s'", update_flags[flag].name, word);
                *ret = json_integer(number);
        }
        return *ret ? 0 : berth_error_set(err, EINVAL, "update: the value of --%s is not UTF-8", update_flags[flag].name);
}

int update_flags_resources(const char *const *words, json_t **ret, struct berth_error *err) {
        json_t *resources = json_object();

        for (size_t i = 0; i < UPDATE_FLAGS; i++) {
                json_t *value = NULL, *section = json_object_get(resources, update_flags[i].section);
                if (!words[i])
                        continue;
                int r = update_flag_value((enum update_flag) i, words[i], &value, err);
                if (r < 0) {
                        json_decref(resources);
                        return r;
                }
                if (!section) {
                        section = json_object();
                        (void) json_object_set_new(resources, update_flags[i].section, section);
                }
                (void) json_object_set_new(section, update_flags[i].key, value);
        }
        *ret = resources;
        return 0;
}
