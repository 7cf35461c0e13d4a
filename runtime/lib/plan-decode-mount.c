/* SPDX-License-Identifier: Apache-2.0 */
#include "plan-decode.h"

int plan_decode_mount(struct plan *plan, struct tlv_reader reader, struct plan_mount *mount, struct berth_error *err) {
        struct tlv_record record;
        uint64_t attrs[5];

        *mount = (struct plan_mount){.type = "", .source = "", .fd = -1};
        int r = plan_strings(plan, reader, PLAN_MOUNT_OPTION, &mount->options, &mount->n_options, err);
        if (r == 0)
                r = plan_structs(plan, reader, PLAN_MOUNT_ID_MAP, sizeof *mount->id_maps, (const void **) &mount->id_maps, &mount->n_id_maps, err);
        if (r < 0)
                return r;
        while (tlv_next(&reader, &record) > 0) {
                bool ok = true;
                switch (record.tag) {
                case PLAN_MOUNT_OPTION:
                case PLAN_MOUNT_ID_MAP:
                        break;
                case PLAN_MOUNT_DESTINATION:
                        r = plan_string(&record, &mount->destination, err);
                        break;
                case PLAN_MOUNT_TYPE:
                        r = plan_string(&record, &mount->type, err);
                        break;
                case PLAN_MOUNT_SOURCE:
                        r = plan_string(&record, &mount->source, err);
                        break;
                case PLAN_MOUNT_SUBPATH:
                        r = plan_string(&record, &mount->subpath, err);
                        break;
                case PLAN_MOUNT_NAMESPACE:
                        r = plan_string(&record, &mount->namespace, err);
                        break;
                case PLAN_MOUNT_FLAGS:
                        ok = tlv_copy(&record, &mount->flags, sizeof mount->flags);
                        break;
                case PLAN_MOUNT_ATTRS:
                        ok = tlv_copy(&record, attrs, sizeof attrs);
                        if (!ok)
                                break;
                        mount->attr_set = attrs[0];
                        mount->attr_clear = attrs[1];
                        mount->recursive_attr_set = attrs[2];
                        mount->recursive_attr_clear = attrs[3];
                        mount->propagation = attrs[4];
                        break;
                default:
                        r = plan_unknown(&record, "mount", err);
                }
                if (r < 0)
                        return r;
                if (!ok)
                        return plan_damaged(err, "a record of a mount");
        }
        return mount->destination ? 0 : plan_damaged(err, "a mount without a destination");
}
