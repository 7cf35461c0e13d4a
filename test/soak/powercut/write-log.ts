import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/** One request to the disk. @see Linux Documentation/admin-guide/device-mapper/log-writes.rst */
export interface LoggedWrite {
  /** In bytes. */
  readonly offset: number
  readonly data: Buffer
  /** Everything before it is on the disk when it is done. */
  readonly isFlush: boolean
  /** It is on the disk itself when it is done. */
  readonly isForced: boolean
  readonly isDiscard: boolean
}

const magic = 0x6a736677736872n
const [flush, forced, discard] = [1n, 2n, 4n]

/** Reads what QEMU's filter blklogwrites has written, with log sectors of 512 bytes. */
export function readWriteLog(path: string): LoggedWrite[] {
  const log = readFileSync(path)
  if (log.readBigUInt64LE(0) !== magic) throw new Error(`${path} is no log of writes`)
  const sector = log.readUInt32LE(24)
  const writes: LoggedWrite[] = []
  for (let at = sector; at + sector <= log.length; ) {
    const [start, count, flags] = [0, 8, 16].map((field) => log.readBigUInt64LE(at + field)) as [bigint, bigint, bigint]
    const isDiscard = (flags & discard) !== 0n
    const size = isDiscard ? 0 : Number(count) * sector
    writes.push({
      offset: Number(start) * sector,
      data: log.subarray(at + sector, at + sector + size),
      isFlush: (flags & flush) !== 0n,
      isForced: (flags & forced) !== 0n,
      isDiscard,
    })
    at += sector + size
  }
  return writes
}

/** Brings a copy of the disk to where a power cut after `cut` requests may leave it: what was flushed is there, of the rest each write is or is
 *  not, in no order.   @param keeps decides for one write */
export function replayUntil(disk: string, writes: readonly LoggedWrite[], cut: number, keeps: () => boolean): void {
  const before = writes.slice(0, cut)
  const flushed = before.findLastIndex(({ isFlush }) => isFlush)
  const file = openSync(disk, 'r+')
  try {
    for (const [index, { offset, data, isForced }] of before.entries()) {
      if (data.length > 0 && (index <= flushed || isForced || keeps())) writeSync(file, data, 0, data.length, offset)
    }
  } finally {
    closeSync(file)
  }
}
