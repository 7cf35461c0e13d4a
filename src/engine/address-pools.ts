import { invalid, messageOf } from '#base/errors.ts'
import type { Pool } from '#network/ipam/pool.ts'
import { parseSubnet } from '#network/ipam/subnet.ts'
import type { JsonReader } from '#oci/json.ts'

/** `[{"base": "10.10.0.0/16", "size": 24}]`   @throws `invalid` naming the pool */
export function readAddressPools(field: JsonReader): readonly Pool[] {
  return field.array(1000).map((entry) => toPool(entry.field('base').string(), entry.field('size').raw))
}

/** `base=10.10.0.0/16,size=24`   @throws `invalid` */
export function parseAddressPool(text: string): Pool {
  const fields = Object.fromEntries(text.split(',').map((part) => part.split('=', 2)))
  const unknown = Object.keys(fields).find((key) => key !== 'base' && key !== 'size')
  if (unknown !== undefined) throw invalid(`invalid default address pool: ${text}: write base=10.10.0.0/16,size=24`)
  return toPool(String(fields.base ?? ''), /^\d+$/.test(String(fields.size)) ? Number(fields.size) : fields.size)
}

function toPool(base: string, size: unknown): Pool {
  const refuse = (why: string, cause?: unknown): Error =>
    invalid(`invalid default address pool ${base}: ${why}`, { cause })
  if (base.includes(':')) throw refuse('IPv6 is not supported yet')
  let range: Pool['range']
  try {
    range = parseSubnet(base)
  } catch (cause) {
    throw refuse(messageOf(cause), cause)
  }
  if (!Number.isInteger(size) || Number(size) < range.prefix || Number(size) > 30) {
    throw refuse(`its size is a prefix length from ${range.prefix} to 30`)
  }
  if (Number(size) - range.prefix > 16) throw refuse('it has more than 65536 subnets: choose a smaller size')
  return { range, size: Number(size) }
}
