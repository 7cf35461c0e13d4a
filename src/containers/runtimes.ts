import { accessSync, constants } from 'node:fs'
import { isAbsolute } from 'node:path'
import { invalid, messageOf } from '#base/errors.ts'

/** An OCI command other than our own, that shims call. */
export interface OtherRuntime {
  readonly path: string
  /** Put before the verb. */
  readonly args: readonly string[]
}

export const builtInRuntime = 'berth'
/** What clients of dockerd ask for by habit; one that is configured under such a name goes first. */
const aliases = ['runc', 'io.containerd.runc.v2']

/** The runtimes that containers can ask for by name. */
export class Runtimes {
  #others: Readonly<Record<string, OtherRuntime>> = {}
  #defaultName = builtInRuntime

  /** @throws `invalid` for a name that is taken or a program that cannot be executed */
  constructor(others: Readonly<Record<string, OtherRuntime>> = {}, defaultName: string = builtInRuntime) {
    this.change(others, defaultName)
  }

  /** Of containers that name none. */
  get defaultName(): string {
    return this.#defaultName
  }

  /** What runs is not touched.   @throws `invalid`, and then nothing has changed */
  change(others: Readonly<Record<string, OtherRuntime>>, defaultName: string): void {
    for (const [name, { path }] of Object.entries(others)) checkRuntime(name, path)
    if (!isKnown(defaultName, others)) throw invalid(`specified default runtime '${defaultName}' does not exist`)
    this.#others = others
    this.#defaultName = defaultName
  }

  /** The built-in one first. */
  all(): readonly (readonly [name: string, path: string])[] {
    return [
      [builtInRuntime, builtInRuntime],
      ...Object.entries(this.#others).map(([name, { path }]) => [name, path] as const),
    ]
  }

  /** The name to keep for a container that asked for this one.   @throws `invalid` in Docker's words */
  resolve(asked: string): string {
    if (asked === '') return this.#defaultName
    if (!isKnown(asked, this.#others)) throw invalid(`unknown or invalid runtime name: ${asked}`)
    return asked
  }

  /** Undefined: ours.   @throws `invalid` for one that is configured no more */
  find(name: string): OtherRuntime | undefined {
    if (Object.hasOwn(this.#others, name)) return this.#others[name]
    this.resolve(name)
    return undefined
  }
}

function isKnown(name: string, others: Readonly<Record<string, OtherRuntime>>): boolean {
  return name === builtInRuntime || aliases.includes(name) || Object.hasOwn(others, name)
}

function checkRuntime(name: string, path: string): void {
  if (name === '' || name === builtInRuntime) throw invalid(`runtime name '${name}' is reserved`)
  if (!isAbsolute(path)) throw invalid(`runtime '${name}': '${path}' is not an absolute path`)
  try {
    accessSync(path, constants.X_OK)
  } catch (cause) {
    throw invalid(`runtime '${name}' cannot be executed: ${messageOf(cause)}`, { cause })
  }
}
