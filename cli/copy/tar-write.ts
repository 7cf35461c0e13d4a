/** One file, directory or symlink for an archive. */
export interface TarEntry {
  readonly kind: 'file' | 'directory' | 'symlink'
  readonly name: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Seconds since 1970. */
  readonly mtime: number
  /** Of a symlink. */
  readonly target: string
}

const block = 512
const typeOf = { file: '0', directory: '5', symlink: '2' } as const
const largestOctal = 0o7777777

/** The header blocks of an entry, with an extended one where ustar has no room. @see pax(1) */
export function tarHeader(entry: TarEntry): Buffer {
  const name = entry.kind === 'directory' ? `${entry.name}/` : entry.name
  const records = [
    ...(fits(name, 100) ? [] : [['path', name] as const]),
    ...(fits(entry.target, 100) ? [] : [['linkpath', entry.target] as const]),
    ...(entry.size > 0o77777777777 ? [['size', String(entry.size)] as const] : []),
    ...(entry.uid > largestOctal ? [['uid', String(entry.uid)] as const] : []),
    ...(entry.gid > largestOctal ? [['gid', String(entry.gid)] as const] : []),
  ]
  const own = ustar({ ...entry, name, type: typeOf[entry.kind] })
  if (records.length === 0) return own
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)))
  const extended = ustar({ ...entry, name: 'PaxHeaders/entry', target: '', size: body.length, type: 'x' })
  return Buffer.concat([extended, padded(body), own])
}

/** What follows content of this size, up to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block)
}

export const tarEnd: Buffer = Buffer.alloc(2 * block)

function fits(text: string, room: number): boolean {
  return Buffer.byteLength(text) <= room && /^[\x20-\x7e]*$/.test(text)
}

function ustar({ name, mode, uid, gid, size, mtime, target, type }: Omit<TarEntry, 'kind'> & { type: string }): Buffer {
  const header = Buffer.alloc(block)
  header.write(name.slice(0, 100), 0, 100)
  const octal = (value: number, at: number, digits: number) =>
    header.write(`${Math.max(0, value).toString(8).padStart(digits, '0').slice(-digits)}\0`, at)
  octal(mode, 100, 7)
  octal(Math.min(uid, largestOctal), 108, 7)
  octal(Math.min(gid, largestOctal), 116, 7)
  octal(type === '0' || type === 'x' ? size : 0, 124, 11)
  octal(Math.trunc(mtime), 136, 11)
  header.fill(' ', 148, 156)
  header.write(type, 156)
  header.write(target.slice(0, 100), 157, 100)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

function paxRecord(key: string, value: string): Buffer {
  const body = Buffer.byteLength(` ${key}=${value}\n`)
  let size = body + String(body).length
  if (String(size).length + body !== size) size = body + String(size).length
  return Buffer.from(`${size} ${key}=${value}\n`)
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, tarPadding(bytes.length)])
}
