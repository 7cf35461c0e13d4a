/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "../include/berth.h"
#include "abi-answer.h"
#include "conntrack.h"
#include "firewall.h"

#define LIST_ATTEMPTS 8

int berth_firewall_open(int *ret_sock, struct berth_error *err) {
        return nft_open(ret_sock, err);
}

int berth_firewall_write(int sock, const char *table, const struct berth_firewall_bridge *bridges, size_t n_bridges,
                         const struct berth_firewall_port *ports, size_t n_ports, int drop_others, struct berth_error *err) {
        const struct firewall_change contents = {.table = table, .bridges = bridges, .n_bridges = n_bridges, .ports = ports, .n_ports = n_ports};
        return firewall_write(sock, &contents, drop_others, err);
}

int berth_firewall_change(int sock, const char *table, const struct berth_firewall_bridge *bridges, size_t n_bridges,
                          const struct berth_firewall_port *ports, size_t n_ports, int add, struct berth_error *err) {
        const struct firewall_change change = {.table = table, .bridges = bridges, .n_bridges = n_bridges, .ports = ports, .n_ports = n_ports};
        return firewall_change(sock, &change, add, err);
}

int berth_conntrack_forget(const struct berth_firewall_port *ports, size_t n_ports, struct berth_error *err) {
        return conntrack_forget(ports, n_ports, err);
}

int berth_firewall_remove(int sock, const char *table, struct berth_error *err) {
        return firewall_remove(sock, table, err);
}

int berth_firewall_table(const char *name, struct berth_error *err) {
        return firewall_has_table(name, err);
}

struct chain_writer {
        struct answer *answer;
        bool more;
};

static int write_chain(const struct firewall_chain *chain, void *data) {
        struct chain_writer *writer = data;
        if (!chain->forwards || !chain->drops || (chain->family != NFPROTO_IPV4 && chain->family != NFPROTO_INET))
                return 0;
        answer_put(writer->answer, "%s{\"family\":\"%s\",\"table\":", writer->more ? "," : "", chain->family == NFPROTO_INET ? "inet" : "ip");
        answer_text(writer->answer, chain->table);
        answer_put(writer->answer, ",\"name\":");
        answer_text(writer->answer, chain->name);
        answer_put(writer->answer, "}");
        writer->more = true;
        return 0;
}

int berth_firewall_dropping(char *json, size_t capacity, size_t *ret_size, struct berth_error *err) {
        struct answer answer = {.out = json, .capacity = capacity};
        int r = -EAGAIN;
        for (int i = 0; i < LIST_ATTEMPTS && r == -EAGAIN; i++) {
                struct chain_writer writer = {.answer = &answer};
                answer.used = 0;
                answer_put(&answer, "[");
                r = firewall_chains(write_chain, &writer, err);
                answer_put(&answer, "]");
        }
        return r < 0 ? r : answer_end(&answer, ret_size, err);
}
