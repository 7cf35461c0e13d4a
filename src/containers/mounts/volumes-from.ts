import { invalid } from '#base/errors.ts'

export interface VolumesFrom {
  readonly name: string
  readonly readonly: boolean
}

/** `container[:mode]` of `--volumes-from`.   @throws `invalid` in Docker's words */
export function parseVolumesFrom(text: string): VolumesFrom {
  if (text === '') throw invalid('volumes-from specification cannot be an empty string')
  const colon = text.indexOf(':')
  if (colon === 0) throw invalid('invalid name or ID supplied: ""')
  if (colon < 0) return { name: text, readonly: false }
  const mode = text.slice(colon + 1)
  const words = mode === '' ? [] : mode.split(',')
  const access = words.filter((word) => word === 'ro' || word === 'rw')
  const labels = words.filter((word) => word === 'z' || word === 'Z')
  if (access.length > 1 || labels.length > 1 || access.length + labels.length < words.length) {
    throw invalid(`invalid mode: ${mode}`)
  }
  return { name: text.slice(0, colon), readonly: access[0] === 'ro' }
}
