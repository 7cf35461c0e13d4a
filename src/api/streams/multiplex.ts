/** Sources of a frame, as its first byte tells. */
const streamNumber = { stdin: 0, stdout: 1, stderr: 2 } as const

/** A frame of the multiplexed stream: number, three zero bytes, length in big endian, payload. */
export function frame(source: keyof typeof streamNumber, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHead(source, payload.length), payload])
}

/** What stands before so many bytes of payload. */
export function frameHead(source: keyof typeof streamNumber, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeUInt32BE((streamNumber[source] << 24) >>> 0, 0)
  bytes.writeUInt32BE(size, 4)
  return bytes
}
