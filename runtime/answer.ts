import { internal, systemCode } from '#base/errors.ts'
import type { Argument, FastCall, Library } from './library.ts'

const firstCapacity = 16 << 10
const largestCapacity = 64 << 20

/** The JSON that a call of the form (…leading, buffer, capacity, size) writes; a buffer that was too small is doubled until it fits. */
export function callForJson(library: Library, name: FastCall, ...leading: readonly Argument[]): unknown {
  const size = new BigUint64Array(1)
  for (let capacity = firstCapacity; capacity <= largestCapacity; capacity *= 2) {
    const buffer = Buffer.allocUnsafe(capacity)
    try {
      library.call(name, ...leading, buffer, capacity, size)
    } catch (error) {
      if (systemCode(error) === 'ENOSPC') continue
      throw error
    }
    return JSON.parse(buffer.toString('utf8', 0, Number(size[0])))
  }
  throw internal(`the answer of ${name} is larger than ${largestCapacity} bytes`)
}
