/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "plan-internal.h"
#include "spec.h"

static int spec_device(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        const char *path = "", *type = "";
        struct json_at path_at, type_at, number_at;
        int64_t mode = 0666, uid = 0, gid = 0, major = 0, minor = 0;

        int r = json_required(at, "path", &path_at, err);
        if (r == 0)
                r = json_text(&path_at, &path, err);
        if (r == 0 && path[0] != '/')
                r = json_fail(&path_at, err, "'%s' is not an absolute path", path);
        if (r == 0)
                r = json_required(at, "type", &type_at, err);
        if (r == 0)
                r = json_text(&type_at, &type, err);
        if (r == 0)
                r = json_number_member(at, "fileMode", 0, 0177777, &mode, err);
        if (r == 0)
                r = json_number_member(at, "uid", 0, UINT32_MAX - 1, &uid, err);
        if (r == 0)
                r = json_number_member(at, "gid", 0, UINT32_MAX - 1, &gid, err);
        if (r == 0)
                r = json_number_member(at, "major", 0, 0xfff, &major, err);
        if (r == 0)
                r = json_number_member(at, "minor", 0, 0xfffff, &minor, err);
        if (r < 0)
                return r;

        if (type[0] != 'p' && !(json_member(at, "major", &number_at) && json_member(at, "minor", &number_at)))
                return json_fail(at, err, "needs major and minor");
        uint32_t kind = type[0] == 'b' ? S_IFBLK : type[0] == 'c' || type[0] == 'u' ? S_IFCHR : type[0] == 'p' ? S_IFIFO : 0;
        if (kind == 0 || type[1] != '\0')
                return json_fail(&type_at, err, "unknown device type '%s'", type);
        uint32_t numbers[5] = {kind | ((uint32_t) mode & 07777), (uint32_t) uid, (uint32_t) gid, (uint32_t) major, (uint32_t) minor};
        tlv_put_pair(writer, PLAN_DEVICE, numbers, sizeof numbers, path);
        return 0;
}

int spec_write_devices(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        struct json_at list;
        size_t n;

        int r = json_list_member(at, "devices", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                r = json_check_object(&item, err);
                if (r == 0)
                        r = spec_device(&item, writer, err);
        }
        return r;
}
