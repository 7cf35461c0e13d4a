/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel maps file pages in windows of 64 KiB. What follows in the link, the shim and libc, is what a shim at rest runs;
 * it begins a window, so that the library's text, which only a start needs, is not mapped along with it.
 */
        .section .text.anchor, "axR"
        .p2align 16
        .byte 0
        .section .note.GNU-stack, "", %progbits
