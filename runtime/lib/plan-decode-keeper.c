/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan-decode.h"

static int plan_decode_log(const struct tlv_record *record, struct keeper_plan *keeper, struct berth_error *err) {
        struct {
                uint32_t driver, max_files;
                uint64_t max_bytes;
        } log;
        uint32_t offset = sizeof log;

        if (!tlv_copy(record, &log, sizeof log) || log.driver > PLAN_LOG_CRI)
                return plan_damaged(err, "the log");
        keeper->log = (enum plan_log) log.driver;
        keeper->log_max_files = log.max_files;
        keeper->log_max_bytes = log.max_bytes;
        keeper->log_path = tlv_string_at(record, &offset);
        return keeper->log_path ? 0 : plan_damaged(err, "the log");
}

static int plan_decode_link(const struct tlv_record *record, struct keeper_plan *keeper, struct berth_error *err) {
        struct {
                uint32_t mtu;
                uint8_t mac[6], reserved[2];
        } link;
        uint32_t offset = sizeof link;

        if (!tlv_copy(record, &link, sizeof link))
                return plan_damaged(err, "the link");
        keeper->mtu = link.mtu;
        memcpy(keeper->mac, link.mac, sizeof keeper->mac);
        keeper->host_link = tlv_string_at(record, &offset);
        keeper->bridge = tlv_string_at(record, &offset);
        keeper->link = tlv_string_at(record, &offset);
        return keeper->link ? 0 : plan_damaged(err, "the link");
}

int plan_decode_keeper(struct plan *plan, struct tlv_reader reader, struct berth_error *err) {
        struct keeper_plan *keeper = &plan->keeper;
        struct netlink_address *addresses = plan_allocate(plan, plan_count(reader, PLAN_ADDRESS), sizeof *addresses);
        struct netlink_route *routes = plan_allocate(plan, plan_count(reader, PLAN_ROUTE), sizeof *routes);
        struct tlv_record record;
        uint32_t numbers[2], offset;

        if (!addresses || !routes)
                return plan_damaged(err, "too many records");
        keeper->addresses = addresses;
        keeper->routes = routes;
        keeper->log_max_files = 1;
        keeper->log_line_max = PLAN_LOG_LINE_MAX;

        int r = plan_strings(plan, reader, PLAN_LOWER, &keeper->lower, &keeper->n_lower, err);
        if (r == 0)
                r = plan_strings(plan, reader, PLAN_RUNTIME_OPTION, &keeper->runtime_options, &keeper->n_runtime_options, err);
        while (r == 0 && tlv_next(&reader, &record) > 0) {
                bool ok = true;
                switch (record.tag) {
                case PLAN_LOWER:
                case PLAN_RUNTIME_OPTION:
                        break;
                case PLAN_RUNTIME:
                        r = plan_string(&record, &keeper->runtime, err);
                        break;
                case PLAN_RUNTIME_ROOT:
                        r = plan_string(&record, &keeper->runtime_root, err);
                        break;
                case PLAN_BUNDLE:
                        r = plan_string(&record, &keeper->bundle, err);
                        break;
                case PLAN_ROOTFS_ID_MAPPED:
                        keeper->rootfs_id_mapped = true;
                        break;
                case PLAN_ID:
                        r = plan_string(&record, &keeper->id, err);
                        break;
                case PLAN_DIRECTORY:
                        r = plan_string(&record, &keeper->directory, err);
                        break;
                case PLAN_STDIN:
                        ok = tlv_copy(&record, numbers, sizeof numbers);
                        keeper->open_stdin = ok && numbers[0] != 0;
                        keeper->stdin_once = ok && numbers[1] != 0;
                        break;
                case PLAN_LOG:
                        r = plan_decode_log(&record, keeper, err);
                        break;
                case PLAN_LOG_LINE:
                        ok = tlv_copy(&record, numbers, sizeof numbers[0]) && numbers[0] > 0;
                        keeper->log_line_max = ok ? numbers[0] : PLAN_LOG_LINE_MAX;
                        break;
                case PLAN_LOG_COMPRESSOR:
                        r = plan_string(&record, &keeper->log_compressor, err);
                        break;
                case PLAN_ROOTFS:
                        offset = sizeof numbers;
                        ok = tlv_copy(&record, numbers, sizeof numbers) && numbers[0] <= PLAN_ROOTFS_OVERLAY;
                        keeper->rootfs = ok ? (enum plan_rootfs) numbers[0] : PLAN_ROOTFS_DIRECTORY;
                        keeper->rootfs_path = ok ? tlv_string_at(&record, &offset) : NULL;
                        ok = keeper->rootfs_path != NULL;
                        break;
                case PLAN_UPPER:
                        r = plan_string(&record, &keeper->upper, err);
                        break;
                case PLAN_WORK:
                        r = plan_string(&record, &keeper->work, err);
                        break;
                case PLAN_NETWORK:
                        ok = tlv_copy(&record, numbers, sizeof numbers[0]) && numbers[0] <= PLAN_NETWORK_VETH;
                        keeper->network = ok ? (enum plan_network) numbers[0] : PLAN_NETWORK_HOST;
                        break;
                case PLAN_NETWORK_LINK:
                        r = plan_decode_link(&record, keeper, err);
                        break;
                case PLAN_ADDRESS:
                        ok = tlv_copy(&record, &addresses[keeper->n_addresses++], sizeof *addresses);
                        break;
                case PLAN_ROUTE:
                        ok = tlv_copy(&record, &routes[keeper->n_routes++], sizeof *routes);
                        break;
                default:
                        r = plan_unknown(&record, "keeper", err);
                }
                if (!ok)
                        return plan_damaged(err, "a record of the keeper");
        }
        if (r < 0)
                return r;
        if (!keeper->id || !keeper->directory || !keeper->rootfs_path || (keeper->network == PLAN_NETWORK_VETH && !keeper->link))
                return plan_damaged(err, "the keeper part is incomplete");
        if (keeper->runtime && (!keeper->runtime_root || !keeper->bundle))
                return plan_damaged(err, "the other runtime's part is incomplete");
        return 0;
}
