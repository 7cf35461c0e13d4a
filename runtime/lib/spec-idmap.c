/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-internal.h"
#include "spec.h"

#define IDMAP_ID_MAX (UINT32_MAX - 1)

static bool idmap_overlaps(uint32_t first, uint32_t size, uint32_t other, uint32_t other_size) {
        return first < (uint64_t) other + other_size && other < (uint64_t) first + size;
}

static int idmap_number(const struct json_at *line, const char *key, int64_t min, int64_t max, uint32_t *ret, struct berth_error *err) {
        struct json_at member;
        int64_t value = 0;

        int r = json_required(line, key, &member, err);
        if (r == 0)
                r = json_number(&member, min, max, &value, err);
        *ret = (uint32_t) value;
        return r;
}

static int idmap_line(const struct json_at *line, struct plan_id_map *ret, struct berth_error *err) {
        int r = json_check_object(line, err);
        if (r == 0)
                r = idmap_number(line, "containerID", 0, IDMAP_ID_MAX, &ret->inside, err);
        if (r == 0)
                r = idmap_number(line, "hostID", 0, IDMAP_ID_MAX, &ret->outside, err);
        uint32_t last = ret->inside > ret->outside ? ret->inside : ret->outside;
        return r == 0 ? idmap_number(line, "size", 1, (int64_t) UINT32_MAX - last, &ret->size, err) : r;
}

static int idmap_write(const struct json_at *list, size_t n, uint32_t group, uint16_t tag, struct tlv_writer *writer, struct berth_error *err) {
        struct plan_id_map lines[PLAN_ID_MAP_LINES_MAX];

        if (n > PLAN_ID_MAP_LINES_MAX)
                return json_fail(list, err, "has %zu lines; the kernel takes %d", n, PLAN_ID_MAP_LINES_MAX);
        for (size_t i = 0; i < n; i++) {
                struct json_at item = json_item(list, i);
                struct plan_id_map *line = &lines[i];
                *line = (struct plan_id_map){.group = group};
                int r = idmap_line(&item, line, err);
                if (r < 0)
                        return r;
                for (size_t j = 0; j < i; j++)
                        if (idmap_overlaps(line->inside, line->size, lines[j].inside, lines[j].size) ||
                            idmap_overlaps(line->outside, line->size, lines[j].outside, lines[j].size))
                                return json_fail(&item, err, "overlaps line %zu", j);
                tlv_put(writer, tag, line, sizeof *line);
        }
        return 0;
}

int spec_write_id_maps(const struct json_at *at, const char *users, const char *groups, uint16_t tag, size_t *ret_n, struct tlv_writer *writer,
                       struct berth_error *err) {
        struct json_at user_list, group_list;
        size_t n_users = 0, n_groups = 0;

        int r = json_list_member(at, users, &user_list, &n_users, err);
        if (r == 0)
                r = json_list_member(at, groups, &group_list, &n_groups, err);
        if (r == 0 && (n_users > 0) != (n_groups > 0))
                r = json_fail(n_users > 0 ? &user_list : &group_list, err, "needs %s beside it", n_users > 0 ? groups : users);
        if (r == 0)
                r = idmap_write(&user_list, n_users, 0, tag, writer, err);
        if (r == 0)
                r = idmap_write(&group_list, n_groups, 1, tag, writer, err);
        *ret_n = n_users + n_groups;
        return r;
}
