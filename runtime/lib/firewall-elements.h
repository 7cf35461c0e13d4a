/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "firewall.h"

/* Sets and maps of our table. */
#define FIREWALL_BRIDGES "bridges"
#define FIREWALL_INNER "inner" /* each bridge with itself */
#define FIREWALL_INTERNAL "internal"
#define FIREWALL_MASQUERADED "masqueraded" /* subnets */
#define FIREWALL_ANYWHERE "anywhere"       /* ports of all addresses of the host */
#define FIREWALL_AT "at"                   /* ports of one address */
#define FIREWALL_OWN "own"                 /* a container's address with its own port of the host */

/* Bridges and ports as elements; a subnet or a port that stands there twice is one element. */
void firewall_elements_put(struct nft_batch *batch, const struct firewall_change *change, bool add);
