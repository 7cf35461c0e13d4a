type Counters = Readonly<Record<string, number>>

const ownV1 =
  `active_anon active_file cache dirty inactive_anon inactive_file mapped_file pgfault pgmajfault pgpgin pgpgout
rss rss_huge unevictable writeback`.split(/\s+/)
const keysV1 = [
  ...ownV1,
  'hierarchical_memory_limit',
  'hierarchical_memsw_limit',
  ...ownV1.map((name) => `total_${name}`),
].toSorted()

const keysV2 =
  `active_anon active_file anon anon_thp file file_dirty file_mapped file_writeback inactive_anon inactive_file
kernel_stack pgactivate pgdeactivate pgfault pglazyfree pglazyfreed pgmajfault pgrefill pgscan pgsteal shmem slab
slab_reclaimable slab_unreclaimable sock thp_collapse_alloc thp_fault_alloc unevictable`.split(/\s+/)
/** Newer kernels count these for anonymous memory and files apart. */
const summedV2 = ['workingset_activate', 'workingset_nodereclaim', 'workingset_refault']

/** The part of cgroup v1's memory.stat that dockerd shows; what the kernel does not count is 0. */
export function memoryStatsV1(stat: Counters): Counters {
  return Object.fromEntries(keysV1.map((key) => [key, stat[key] ?? 0]))
}

/** The part of cgroup v2's memory.stat that dockerd shows; what the kernel does not count is 0. */
export function memoryStatsV2(stat: Counters): Counters {
  const sum = (key: string) => stat[key] ?? (stat[`${key}_anon`] ?? 0) + (stat[`${key}_file`] ?? 0)
  return Object.fromEntries([
    ...keysV2.map((key) => [key, stat[key] ?? 0]),
    ...summedV2.map((key): [string, number] => [key, sum(key)]),
  ])
}
