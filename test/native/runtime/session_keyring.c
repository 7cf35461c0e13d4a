/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Prints the number of the session keyring that it has. */
int main(void) {
        long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);

        (void) printf("%ld\n", id);
        return id > 0 ? 0 : 1;
}
