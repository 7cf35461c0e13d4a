/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* "9", "KILL", "SIGKILL", "sigrtmin+3"; 0 when it is none. */
int signal_number(const char *word);
