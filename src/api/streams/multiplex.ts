/** Sources of a frame, as its first byte tells. */
const streamNumber = { stdin: 0, stdout: 1, stderr: 2 } as const

export const frameHeadSize = 8

/** A frame of the multiplexed stream: number, three zero bytes, length in big endian, payload. */
export function frame(source: keyof typeof streamNumber, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeadSize + payload.length)
  bytes.set(payload, writeFrameHead(bytes, 0, { source, size: payload.length }))
  return bytes
}

/** Writes what stands before so many bytes of payload.   @returns where these begin */
export function writeFrameHead(
  bytes: Buffer,
  at: number,
  { source, size }: { readonly source: keyof typeof streamNumber; readonly size: number },
): number {
  bytes.writeUInt32BE((streamNumber[source] << 24) >>> 0, at)
  return bytes.writeUInt32BE(size, at + 4)
}
