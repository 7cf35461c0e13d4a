/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plan-internal.h"
#include "spec.h"

static int spec_required_text(const struct json_at *at, const char *key, const char **ret, struct berth_error *err) {
        struct json_at member;
        int r = json_required(at, key, &member, err);
        return r == 0 ? json_text(&member, ret, err) : r;
}

static int spec_required_path(const struct json_at *at, const char *key, const char **ret, struct berth_error *err) {
        struct json_at member;
        int r = json_required(at, key, &member, err);

        if (r == 0)
                r = json_text(&member, ret, err);
        if (r == 0 && (*ret)[0] != '/')
                r = json_fail(&member, err, "'%s' is not an absolute path", *ret);
        return r;
}

/* Who asked for the CRI's format rotates the file and says REOPEN_LOG. */
static int spec_keeper_cri_log(const struct json_at *log, uint32_t *ret_line_max, struct berth_error *err) {
        int64_t line_max = PLAN_LOG_LINE_MAX;
        struct json_at member;

        if (json_member(log, "maxBytes", &member) || json_member(log, "maxFiles", &member))
                return json_fail(&member, err, "a log of driver 'cri' is not rotated by its writer");
        int r = json_number_member(log, "lineMax", 1, 1 << 20, &line_max, err);
        *ret_line_max = (uint32_t) line_max;
        return r;
}

static int spec_keeper_log(const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err) {
        struct {
                uint32_t driver, max_files;
                uint64_t max_bytes;
        } log = {.driver = PLAN_LOG_NONE, .max_files = 1};
        int64_t max_files = 1, max_bytes = 0;
        uint32_t line_max = PLAN_LOG_LINE_MAX;
        const char *driver = "", *path = "", *compressor = "";
        struct json_at at, member;

        if (!json_member(keeper, "log", &at))
                return 0;
        int r = json_check_object(&at, err);
        if (r == 0)
                r = spec_required_text(&at, "driver", &driver, err);
        if (r < 0)
                return r;
        if (strcmp(driver, "json-file") == 0) {
                log.driver = PLAN_LOG_JSON_FILE;
                r = spec_required_path(&at, "path", &path, err);
                if (r == 0)
                        r = json_number_member(&at, "maxBytes", 0, INT64_MAX, &max_bytes, err);
                if (r == 0)
                        r = json_number_member(&at, "maxFiles", 1, 10000, &max_files, err);
                if (r == 0 && json_member(&at, "compressor", &member))
                        r = spec_required_path(&at, "compressor", &compressor, err);
        } else if (strcmp(driver, "cri") == 0) {
                log.driver = PLAN_LOG_CRI;
                r = spec_required_path(&at, "path", &path, err);
                if (r == 0)
                        r = spec_keeper_cri_log(&at, &line_max, err);
        } else if (strcmp(driver, "none") != 0) {
                r = json_fail(&at, err, "unknown log driver '%s'", driver);
        }
        if (r < 0)
                return r;
        log.max_files = (uint32_t) max_files;
        log.max_bytes = (uint64_t) max_bytes;
        tlv_put_pair(writer, PLAN_LOG, &log, sizeof log, path);
        if (*compressor)
                tlv_put_string(writer, PLAN_LOG_COMPRESSOR, compressor);
        if (line_max != PLAN_LOG_LINE_MAX)
                tlv_put(writer, PLAN_LOG_LINE, &line_max, sizeof line_max);
        return 0;
}

static int spec_keeper_overlay(const struct json_at *rootfs, struct tlv_writer *writer, struct berth_error *err) {
        const char *upper = NULL, *work = NULL;
        struct json_at list, upper_at;
        size_t n = 0;

        int r = json_list_member(rootfs, "lower", &list, &n, err);
        if (r == 0 && n == 0)
                r = json_fail(&list, err, "must name at least one layer");
        if (r == 0)
                r = spec_write_paths(rootfs, "lower", PLAN_LOWER, writer, err);
        if (r == 0 && json_member(rootfs, "upper", &upper_at)) {
                r = spec_required_path(rootfs, "upper", &upper, err);
                if (r == 0)
                        r = spec_required_path(rootfs, "work", &work, err);
                if (r < 0)
                        return r;
                tlv_put_string(writer, PLAN_UPPER, upper);
                tlv_put_string(writer, PLAN_WORK, work);
        }
        return r;
}

static int spec_keeper_rootfs(const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err) {
        const char *kind = "", *path = "";
        uint32_t numbers[2] = {0};
        struct json_at at;
        bool id_mapped = false;

        int r = json_required(keeper, "rootfs", &at, err);
        if (r == 0)
                r = json_check_object(&at, err);
        if (r == 0)
                r = spec_required_text(&at, "kind", &kind, err);
        if (r == 0)
                r = spec_required_path(&at, "path", &path, err);
        if (r == 0)
                r = json_truth_member(&at, "idMapped", &id_mapped, err);
        if (r < 0)
                return r;
        if (strcmp(kind, "overlay") == 0) {
                numbers[0] = PLAN_ROOTFS_OVERLAY;
                r = spec_keeper_overlay(&at, writer, err);
        } else if (strcmp(kind, "directory") == 0) {
                numbers[0] = PLAN_ROOTFS_DIRECTORY;
        } else {
                r = json_fail(&at, err, "unknown kind '%s'", kind);
        }
        if (r == 0 && id_mapped)
                tlv_put(writer, PLAN_ROOTFS_ID_MAPPED, NULL, 0);
        if (r == 0)
                tlv_put_pair(writer, PLAN_ROOTFS, numbers, sizeof numbers, path);
        return r;
}

static int spec_address(const struct json_at *at, struct netlink_address *ret, struct berth_error *err) {
        const char *text = NULL;
        struct berth_error problem = {0};
        int r = json_text(at, &text, err);

        if (r < 0)
                return r;
        memset(ret, 0, sizeof *ret);
        r = netlink_address_parse(text, ret, &problem);
        return r < 0 ? json_fail(at, err, "%s", problem.text) : 0;
}

static int spec_link_name(const struct json_at *at, const char *key, const char **ret, struct berth_error *err) {
        struct json_at member;
        int r = spec_required_text(at, key, ret, err);

        if (r < 0)
                return r;
        (void) json_member(at, key, &member);
        if (**ret == '\0' || strlen(*ret) >= IFNAMSIZ || strchr(*ret, '/'))
                return json_fail(&member, err, "'%s' is not the name of a link", *ret);
        return 0;
}

static int spec_route(const struct json_at *at, struct netlink_route *ret, struct berth_error *err) {
        struct json_at to, via;
        const char *link = "";

        memset(ret, 0, sizeof *ret);
        int r = json_required(at, "to", &to, err);
        if (r == 0)
                r = spec_address(&to, &ret->to, err);
        if (r == 0 && json_member(at, "via", &via) && !(json_is_string(via.value) && *json_string_value(via.value) == '\0'))
                r = spec_address(&via, &ret->via, err);
        if (r == 0 && json_member(at, "link", &via))
                r = spec_link_name(at, "link", &link, err);
        if (r == 0)
                (void) snprintf(ret->link, sizeof ret->link, "%s", link);
        return r;
}

static int spec_mac(const struct json_at *at, uint8_t ret[6], struct berth_error *err) {
        const char *text = NULL;
        unsigned bytes[6];
        char end;

        int r = json_text(at, &text, err);
        if (r < 0)
                return r;
        if (strlen(text) != 17 ||
            sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4], &bytes[5], &end) != 6)
                return json_fail(at, err, "'%s' is not a MAC address", text);
        for (int i = 0; i < 6; i++)
                ret[i] = (uint8_t) bytes[i];
        return 0;
}

static int spec_keeper_veth(const struct json_at *network, struct tlv_writer *writer, struct berth_error *err) {
        struct {
                uint32_t mtu;
                uint8_t mac[6], reserved[2];
        } fixed = {0};
        const char *host_link = NULL, *bridge = NULL, *link = NULL;
        char names[3 * IFNAMSIZ + sizeof fixed];
        struct json_at member, list;
        int64_t mtu = 0;
        size_t n = 0;

        int r = spec_link_name(network, "hostLink", &host_link, err);
        if (r == 0)
                r = spec_link_name(network, "bridge", &bridge, err);
        if (r == 0)
                r = spec_link_name(network, "link", &link, err);
        if (r == 0)
                r = json_number_member(network, "mtu", 0, 65535, &mtu, err);
        if (r == 0)
                r = json_required(network, "mac", &member, err);
        if (r == 0)
                r = spec_mac(&member, fixed.mac, err);
        if (r < 0)
                return r;
        fixed.mtu = (uint32_t) mtu;

        size_t used = sizeof fixed;
        memcpy(names, &fixed, sizeof fixed);
        const char *const texts[] = {host_link, bridge, link};
        for (int i = 0; i < 3; i++) {
                size_t size = strlen(texts[i]) + 1;
                memcpy(names + used, texts[i], size);
                used += size;
        }
        tlv_put(writer, PLAN_NETWORK_LINK, names, used);

        r = json_list_member(network, "addresses", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                struct netlink_address address;
                r = spec_address(&item, &address, err);
                if (r == 0)
                        tlv_put(writer, PLAN_ADDRESS, &address, sizeof address);
        }
        if (r == 0)
                r = json_list_member(network, "routes", &list, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&list, i);
                struct netlink_route route;
                r = json_check_object(&item, err);
                if (r == 0)
                        r = spec_route(&item, &route, err);
                if (r == 0)
                        tlv_put(writer, PLAN_ROUTE, &route, sizeof route);
        }
        return r;
}

static int spec_keeper_network(const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err) {
        uint32_t network = PLAN_NETWORK_HOST;
        const char *kind = NULL;
        struct json_at at;

        int r = json_required(keeper, "network", &at, err);
        if (r == 0)
                r = json_check_object(&at, err);
        if (r == 0)
                r = spec_required_text(&at, "kind", &kind, err);
        if (r < 0)
                return r;
        if (strcmp(kind, "veth") == 0) {
                network = PLAN_NETWORK_VETH;
                r = spec_keeper_veth(&at, writer, err);
        } else if (strcmp(kind, "none") == 0) {
                network = PLAN_NETWORK_NONE;
        } else if (strcmp(kind, "host") != 0) {
                r = json_fail(&at, err, "unknown kind '%s'", kind);
        }
        if (r == 0)
                tlv_put(writer, PLAN_NETWORK, &network, sizeof network);
        return r;
}

static int spec_keeper_runtime(const struct json_at *keeper, struct tlv_writer *writer, struct berth_error *err) {
        const char *path = NULL, *root = NULL, *bundle = NULL;
        struct json_at at, options;
        size_t n = 0;

        if (!json_member(keeper, "runtime", &at))
                return 0;
        int r = json_check_object(&at, err);
        if (r == 0)
                r = spec_required_path(&at, "path", &path, err);
        if (r == 0)
                r = spec_required_path(&at, "root", &root, err);
        if (r == 0)
                r = spec_required_path(&at, "bundle", &bundle, err);
        if (r == 0)
                r = json_list_member(&at, "options", &options, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                struct json_at item = json_item(&options, i);
                const char *option = NULL;
                r = json_text(&item, &option, err);
                if (r == 0)
                        tlv_put_string(writer, PLAN_RUNTIME_OPTION, option);
        }
        if (r < 0)
                return r;
        tlv_put_string(writer, PLAN_RUNTIME, path);
        tlv_put_string(writer, PLAN_RUNTIME_ROOT, root);
        tlv_put_string(writer, PLAN_BUNDLE, bundle);
        return 0;
}

int spec_write_keeper(const struct json_at *at, struct tlv_writer *writer, struct berth_error *err) {
        const char *id = NULL, *directory = NULL;
        bool open = false, once = false;
        struct json_at stdin_at;

        int r = spec_required_text(at, "id", &id, err);
        if (r == 0)
                r = spec_required_path(at, "directory", &directory, err);
        if (r == 0 && json_member(at, "stdin", &stdin_at)) {
                r = json_truth_member(&stdin_at, "open", &open, err);
                if (r == 0)
                        r = json_truth_member(&stdin_at, "once", &once, err);
        }
        if (r < 0)
                return r;
        uint32_t input[2] = {open, once};
        tlv_put_string(writer, PLAN_ID, id);
        tlv_put_string(writer, PLAN_DIRECTORY, directory);
        tlv_put(writer, PLAN_STDIN, input, sizeof input);

        r = spec_keeper_log(at, writer, err);
        if (r == 0)
                r = spec_keeper_rootfs(at, writer, err);
        if (r == 0)
                r = spec_keeper_network(at, writer, err);
        if (r == 0)
                r = spec_keeper_runtime(at, writer, err);
        return r;
}
