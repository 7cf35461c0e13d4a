import { invalid } from '#base/errors.ts'
import type { LogFormat, LogLevel } from '#base/log.ts'
import { parseAmount } from '#base/quantity.ts'
import type { Ulimit } from '#containers/container.ts'
import { ulimitNames } from '#containers/spec/process-defaults.ts'
import type { DiskLimits } from '#images/budget/disk-budget.ts'
import type { Compression } from '#images/layers/compress.ts'
import type { RegistrySetting } from '#images/registry/registry-config.ts'
import type { JsonReader } from '#oci/json.ts'
import type { Config } from './config.ts'

/** Of one key of daemon.json.   @throws `invalid` naming it */
export type Reader = (field: JsonReader) => Config[keyof Config]

const levels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
const formats: readonly LogFormat[] = ['text', 'json']
export const text: Reader = (field) => field.string()
export const flag: Reader = (field) => field.boolean()
export const texts: Reader = (field) => field.stringArray(1000)

/** `{"name": {"path": "/usr/bin/runc", "runtimeArgs": ["--debug"]}}` */
export const runtimes: Reader = (field) =>
  Object.fromEntries(
    Object.keys(field.object()).map((name) => {
      const entry = field.field(name)
      for (const key of Object.keys(entry.object())) {
        if (key !== 'path' && key !== 'runtimeArgs')
          throw invalid(`runtimes.${name}.${key} is not supported: name a path`)
      }
      const args = entry.field('runtimeArgs').optional((list) => list.stringArray(1000)) ?? []
      return [name, { path: entry.field('path').string(), args }]
    }),
  )

/** `{"ghcr.io/org": {"mirrors": ["https://mirror.lan/cache"]}, "registry.lan:5000": {"insecure": true}}` */
export const registries: Reader = (field) =>
  Object.fromEntries(
    Object.keys(field.object()).map((prefix): [string, RegistrySetting] => {
      const entry = field.field(prefix)
      for (const key of Object.keys(entry.object())) {
        if (key !== 'mirrors' && key !== 'insecure')
          throw invalid(`registries[${prefix}].${key} is not supported: there are mirrors and insecure`)
      }
      const mirrors = entry.field('mirrors').optional((list) => list.stringArray(100))
      const insecure = entry.field('insecure').optional((value) => value.boolean())
      return [prefix, { ...(mirrors && { mirrors }), ...(insecure !== undefined && { insecure }) }]
    }),
  )

/** `{"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096}}` */
export function readUlimits(field: JsonReader): readonly Ulimit[] {
  return Object.keys(field.object()).map((key) => {
    const entry = field.field(key)
    const [soft, hard] = ['Soft', 'Hard'].map((name) => entry.field(name).raw)
    return checkUlimit({ name: entry.field('Name').optional((name) => name.string()) ?? key, soft, hard })
  })
}

/** `nofile=1024` or `nofile=1024:4096`.   @throws `invalid` */
export function parseUlimit(text: string): Ulimit {
  const [, name = '', soft, hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? []
  if (soft === undefined) throw invalid(`invalid ulimit argument: ${text}: write name=soft or name=soft:hard`)
  return checkUlimit({ name, soft: Number(soft), hard: Number(hard) })
}

function checkUlimit({ name, soft, hard }: { name: string; soft: unknown; hard: unknown }): Ulimit {
  if (!ulimitNames.includes(name)) throw invalid(`invalid ulimit type: ${name}`)
  if (!Number.isSafeInteger(soft) || !Number.isSafeInteger(hard)) {
    throw invalid(`default-ulimits: ${name} needs numbers for Soft and Hard`)
  }
  const limit = { name, soft: Number(soft), hard: Number(hard) }
  if (limit.hard !== -1 && (limit.soft === -1 || limit.soft > limit.hard)) {
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
  }
  return limit
}

export function readDisk(field: JsonReader): DiskLimits {
  for (const key of Object.keys(field.object())) {
    if (key !== 'budget' && key !== 'minFree') throw invalid(`disk.${key} is not known: name budget or minFree`)
  }
  const amount = (key: string) => field.field(key).optional((one) => parseAmount(one.string()))
  const [budget, minFree] = [amount('budget'), amount('minFree')]
  return { ...(budget && { budget }), ...(minFree && { minFree }) }
}

/** @throws `invalid` in dockerd's words */
export function parseLevel(word: string): LogLevel {
  const level = levels.find((one) => one === word)
  if (!level) throw invalid(`invalid log level: ${word}: choose one of ${levels.join(', ')}`)
  return level
}

export function parseFormat(word: string): LogFormat {
  const format = formats.find((one) => one === word)
  if (!format) throw invalid(`invalid log format: ${word}: choose one of ${formats.join(', ')}`)
  return format
}

export function parseCompression(word: string): Compression {
  if (word === 'gzip' || word === 'zstd') return word
  throw invalid(`invalid push-compression: ${word}: choose gzip or zstd`)
}

/** @throws `invalid` in dockerd's words */
export function parseLabels(labels: readonly string[]): readonly string[] {
  const seen = new Map<string, string>()
  for (const label of labels) {
    const at = label.indexOf('=')
    if (at <= 0) throw invalid(`bad attribute format: ${label}`)
    const other = seen.get(label.slice(0, at))
    if (other !== undefined && other !== label) throw invalid(`conflict labels for ${label} and ${other}`)
    seen.set(label.slice(0, at), label)
  }
  return [...new Set(labels)]
}

/** @throws `invalid` in dockerd's words */
export function parseMax(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw invalid(`invalid ${what}: ${String(value)}`)
}
