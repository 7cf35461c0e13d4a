export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2'

/** By the first bytes; ten of them tell all. */
export function compressionOf(head: Uint8Array): Compression {
  const begins = (...magic: number[]) => magic.every((byte, index) => head[index] === byte)
  if (begins(0x1f, 0x8b)) return 'gzip'
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd'
  // A skippable frame may stand first.
  if (((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return 'zstd'
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a)) return 'xz'
  return begins(0x42, 0x5a, 0x68) && head[4] === 0x31 && head[5] === 0x41 ? 'bzip2' : 'none'
}
