const blockSize = 512

/** The zeros that end an archive. */
export const tarEnd: Uint8Array = Buffer.alloc(2 * blockSize)

/** A member's header: root's, from 1970, 0755 for a directory (its name ends with a slash) and 0644 for a file.
 *  @param name at most 100 bytes of ASCII   @param size in bytes, of the content that follows   @see POSIX pax(1), ustar */
export function tarHeader(name: string, size: number): Buffer {
  const isDirectory = name.endsWith('/')
  const header = Buffer.alloc(blockSize)
  header.write(name, 0, 100, 'latin1')
  header.write(isDirectory ? '0000755\0' : '0000644\0', 100, 'latin1')
  header.write('0000000\x000000000\0', 108, 'latin1')
  writeSize(header.subarray(124, 136), size)
  header.write('00000000000\0', 136, 'latin1')
  header.write(`        ${isDirectory ? '5' : '0'}`, 148, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

/** Zeros up to the next header. */
export function tarPadding(size: number): Uint8Array {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize)
}

/** Eleven octal digits end at 8 GiB; beyond, every tar program reads GNU's binary form. */
function writeSize(field: Buffer, size: number): void {
  if (size < 8 ** 11) {
    field.write(`${size.toString(8).padStart(11, '0')}\0`, 'latin1')
    return
  }
  field[0] = 0x80
  field.writeBigUInt64BE(BigInt(size), 4)
}
