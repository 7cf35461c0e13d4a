import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BerthError, messageOf, systemCode, tooLarge } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { JsonReader } from '#oci/json.ts'
import { type CdiSpec, type ContainerEdits, parseCdiSpec } from './spec-file.ts'

const fileSizeLimit = 16 << 20

interface Found {
  readonly spec: CdiSpec
  readonly priority: number
}

/** The devices that CDI directories describe; read at each use, for vendors' tools write them anew. */
export class CdiRegistry {
  readonly #log: Logger
  /** The last one counts most. */
  readonly directories: readonly string[]

  constructor(directories: readonly string[], log: Logger) {
    this.directories = directories
    this.#log = log
  }

  /** Edits of the named devices (`vendor.com/class=name`), each file's common ones once.   @throws `internal` in Docker's words */
  async editsOf(names: readonly string[]): Promise<readonly ContainerEdits[]> {
    const found = await this.#read()
    const taken = new Set<CdiSpec>()
    const missing: string[] = []
    const edits = names.flatMap((name) => {
      const spec = specOf(found, name)
      const own = spec?.devices.get(nameOf(name))
      if (!spec || !own) {
        missing.push(name)
        return []
      }
      const isFirst = !taken.has(spec)
      taken.add(spec)
      return isFirst ? [spec.edits, own] : [own]
    })
    if (missing.length > 0) throw injectionFailed(`unresolvable CDI devices ${missing.join(', ')}`)
    return edits
  }

  /** Names of the devices of a kind, in the order of their files. */
  async devicesOf(kind: string): Promise<readonly string[]> {
    const all = (await this.#read()).filter(({ spec }) => spec.kind === kind)
    return [...new Set(all.flatMap(({ spec }) => [...spec.devices.keys()]))]
  }

  async #read(): Promise<readonly Found[]> {
    const found: Found[] = []
    for (const [priority, directory] of this.directories.entries()) {
      for (const name of await filesOf(directory)) {
        const path = join(directory, name)
        try {
          found.push({ spec: await readSpec(path), priority })
        } catch (error) {
          // One vendor's broken file must not take away the devices of others.
          this.#log.warn({ file: path, error: messageOf(error) }, 'a CDI file cannot be used')
        }
      }
    }
    return found
  }
}

/** As dockerd reports what goes wrong with devices. */
export function injectionFailed(why: string): Error {
  return new BerthError('internal', `CDI device injection failed: ${why}`)
}

/** Of two files in one directory that describe the same device, neither can be meant. */
function specOf(found: readonly Found[], device: string): CdiSpec | undefined {
  const kind = device.slice(0, device.indexOf('='))
  const candidates = found.filter(({ spec }) => spec.kind === kind && spec.devices.has(nameOf(device)))
  const highest = Math.max(...candidates.map(({ priority }) => priority))
  const best = candidates.filter(({ priority }) => priority === highest)
  return best.length === 1 ? best[0]?.spec : undefined
}

function nameOf(device: string): string {
  return device.slice(device.indexOf('=') + 1)
}

async function filesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => /\.(?:json|ya?ml)$/.test(name)).sort()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

async function readSpec(path: string): Promise<CdiSpec> {
  await using file = await open(path)
  if ((await file.stat()).size > fileSizeLimit) throw tooLarge(`it is larger than ${fileSizeLimit} bytes`)
  const text = await file.readFile('utf8')
  if (path.endsWith('.json')) return parseCdiSpec(JsonReader.parse(text, path))
  // Only hosts with such files need the parser in memory.
  const { parse } = await import('yaml')
  return parseCdiSpec(new JsonReader(parse(text), path))
}
