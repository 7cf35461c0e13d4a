import type { Library } from './library.ts'

/** Gives freed memory back to the kernel. Buffers of large transfers are freed one by one, and glibc keeps their pages for ever: 45 MB after
 *  a pull of 400 MB, given back in 4 ms on another thread. */
export async function trimMemory(library: Library): Promise<void> {
  await library.wait('berth_memory_trim')
}
