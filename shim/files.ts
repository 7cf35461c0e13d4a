/** What a shim leaves in its directory (formats: protocol.h). */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dataLoss, systemCode } from '#base/errors.ts'
import { parseNanos } from '#base/timestamp.ts'

export const socketName = 'shim.sock'
export const lockName = 'lock'

export interface ShimRecord {
  readonly id: string
  readonly pid: number
  /** Field 22 of /proc/PID/stat. */
  readonly startTime: bigint
  readonly bootId: string
}

export interface ExitRecord {
  /** 128 + signal when killed. */
  readonly code: number
  readonly signal: number
  readonly oomKilled: boolean
  readonly pid: number
  /** Nanoseconds since 1970; 0 when it was never started. */
  readonly startedAt: bigint
  readonly finishedAt: bigint
}

/** @returns undefined when there is no shim.json.   @throws `data-loss` when it is damaged. */
export async function readShimRecord(directory: string): Promise<ShimRecord | undefined> {
  const fields = await readRecord(join(directory, 'shim.json'))
  if (!fields) return undefined
  return {
    id: fields.text('id'),
    pid: fields.number('pid'),
    startTime: BigInt(fields.number('startTime')),
    bootId: fields.text('bootId'),
  }
}

/** @returns undefined when the shim wrote none: it was killed.   @throws `data-loss` when it is damaged. */
export async function readExitRecord(directory: string): Promise<ExitRecord | undefined> {
  const fields = await readRecord(join(directory, 'exit.json'))
  if (!fields) return undefined
  return {
    code: fields.number('code'),
    signal: fields.number('signal'),
    oomKilled: fields.boolean('oomKilled'),
    pid: fields.number('pid'),
    startedAt: fields.nanos('startedAt'),
    finishedAt: fields.nanos('finishedAt'),
  }
}

/** Field 22 of /proc/PID/stat; undefined when there is no such process. */
export async function readStartTime(pid: number): Promise<bigint | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`)
  // The second field is the process's name in parentheses and may contain anything.
  const field = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return field === undefined ? undefined : BigInt(field)
}

export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
}

class RecordFields {
  readonly #path: string
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(path: string, fields: Readonly<Record<string, unknown>>) {
    this.#path = path
    this.#fields = fields
  }

  text(key: string): string {
    const value = this.#fields[key]
    return typeof value === 'string' ? value : this.#damaged(key)
  }

  number(key: string): number {
    const value = this.#fields[key]
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : this.#damaged(key)
  }

  boolean(key: string): boolean {
    const value = this.#fields[key]
    return typeof value === 'boolean' ? value : this.#damaged(key)
  }

  nanos(key: string): bigint {
    return parseNanos(this.text(key)) ?? this.#damaged(key)
  }

  #damaged(key: string): never {
    throw dataLoss(`'${key}' in ${this.#path} is missing or damaged`)
  }
}

async function readRecord(path: string): Promise<RecordFields | undefined> {
  const text = await readIfThere(path)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return new RecordFields(path, value)
  } catch (error) {
    throw dataLoss(`${path} is damaged`, { cause: error })
  }
  throw dataLoss(`${path} is damaged`)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return undefined
    throw error
  }
}
