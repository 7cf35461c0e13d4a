/** One member of an archive, exactly as it shall stand there: nothing is checked, so that hostile archives can be written too. */
export interface TarEntry {
  readonly name: string
  /** The type flag; a directory when the name ends with a slash, else a file. */
  readonly type?: string
  readonly content?: string | Uint8Array
  readonly link?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Seconds. */
  readonly mtime?: number
  readonly major?: number
  readonly minor?: number
  /** What the header states when it is not the content's own size. */
  readonly size?: number
  /** Records of an extended header in front of it. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>
  /** Puts the name into a GNU `L` header. */
  readonly gnuLongName?: boolean
  /** Writes numbers in GNU's binary form. */
  readonly gnuNumbers?: boolean
}

const block = 512

/** An uncompressed archive; `end: false` leaves out the two blocks of zeros. */
export function tar(entries: readonly TarEntry[], { end = true }: { end?: boolean } = {}): Buffer {
  return Buffer.concat([...entries.flatMap(toBlocks), Buffer.alloc(end ? 2 * block : 0)])
}

/** "length key=value\n", the length counting its own digits. */
function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
  let length = rest.length + 1
  while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length
  return Buffer.concat([Buffer.from(`${length}`), rest])
}

function toBlocks(entry: TarEntry): Buffer[] {
  const blocks: Buffer[] = []
  if (entry.pax) {
    const records = Object.entries(entry.pax).map(([key, value]) => paxRecord(key, value))
    blocks.push(...toBlocks({ name: 'pax', type: 'x', content: Buffer.concat(records) }))
  }
  if (entry.gnuLongName) blocks.push(...toBlocks({ name: '././@LongLink', type: 'L', content: `${entry.name}\0` }))
  const content = Buffer.from(entry.content ?? '')
  return [...blocks, header(entry, content.length), content, Buffer.alloc((block - (content.length % block)) % block)]
}

function header(entry: TarEntry, length: number): Buffer {
  const { name, type = name.endsWith('/') ? '5' : '0', link = '', gnuNumbers = false } = entry
  const bytes = Buffer.alloc(block)
  const number = (value: number, at: number, size: number) => {
    if (gnuNumbers) binary(bytes, value, at, size)
    else bytes.write(`${value.toString(8).padStart(size - 1, '0')}\0`, at, 'latin1')
  }
  bytes.write(name.slice(0, 100), 0, 100)
  number(entry.mode ?? (type === '5' ? 0o755 : 0o644), 100, 8)
  number(entry.uid ?? 0, 108, 8)
  number(entry.gid ?? 0, 116, 8)
  number(entry.size ?? length, 124, 12)
  number(entry.mtime ?? 1_700_000_000, 136, 12)
  bytes.write('        ', 148)
  bytes.write(type, 156, 'latin1')
  bytes.write(link.slice(0, 100), 157, 100)
  bytes.write('ustar\x0000', 257, 'latin1')
  number(entry.major ?? 0, 329, 8)
  number(entry.minor ?? 0, 337, 8)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}

function binary(bytes: Buffer, value: number, at: number, size: number): void {
  let rest = BigInt.asUintN(size * 8, BigInt(value))
  for (let i = size - 1; i >= 0; i--) {
    bytes[at + i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  bytes[at] = (bytes[at] ?? 0) | 0x80
}
