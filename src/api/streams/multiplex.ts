/** Sources of a frame, as its first byte tells. */
const streamNumber = { stdin: 0, stdout: 1, stderr: 2 } as const

/** A frame of the multiplexed stream: number, three zero bytes, length in big endian, payload. */
export function frame(source: keyof typeof streamNumber, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(8 + payload.length)
  bytes.writeUInt32BE((streamNumber[source] << 24) >>> 0, 0)
  bytes.writeUInt32BE(payload.length, 4)
  bytes.set(payload, 8)
  return bytes
}
