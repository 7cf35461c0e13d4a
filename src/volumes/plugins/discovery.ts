import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { invalid, systemCode } from '#base/errors.ts'

/** Where programs announce the plugins that they serve.   @see docs.docker.com/engine/extend/plugin_api */
export interface PluginDirectories {
  /** `NAME.sock`, or `NAME/NAME.sock` */
  readonly sockets: string
  /** `NAME.spec` and `NAME.json`, the earlier directory first */
  readonly specs: readonly string[]
}

export const dockerDirectories: PluginDirectories = {
  sockets: '/run/docker/plugins',
  specs: ['/etc/docker/plugins', '/usr/lib/docker/plugins'],
}

/** How a plugin is reached. */
export interface PluginAddress {
  readonly name: string
  /** `unix:///path`, `tcp://host:port`, `http://…` or `https://…` */
  readonly url: URL
  readonly tls: PluginTls | undefined
}

/** Paths of PEM files; ''-valued ones are not used. */
export interface PluginTls {
  readonly insecure: boolean
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const specLimit = 64 << 10

/** Undefined: nobody announces one.   @throws `invalid` naming a file that is not as it should be */
export async function findPlugin(directories: PluginDirectories, name: string): Promise<PluginAddress | undefined> {
  // Its name becomes a path.
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.:-]*$/.test(name)) return undefined
  for (const path of candidates(directories.sockets, name, 'sock')) {
    const found = await ifThere(stat(path))
    if (found?.isSocket()) return { name, url: new URL(`unix://${path}`), tls: undefined }
  }
  for (const directory of directories.specs) {
    for (const path of candidates(directory, name, 'spec')) {
      const text = await readSpec(path)
      if (text !== undefined) return { name, url: parseUrl(text.trim(), path), tls: undefined }
    }
    for (const path of candidates(directory, name, 'json')) {
      const text = await readSpec(path)
      if (text !== undefined) return parseJsonSpec(name, text, path)
    }
  }
  return undefined
}

/** Names of everything that is announced. */
export async function listPlugins({ sockets, specs }: PluginDirectories): Promise<string[]> {
  const names = new Set<string>()
  for (const directory of [sockets, ...specs]) {
    for (const entry of (await ifThere(readdir(directory, { withFileTypes: true }))) ?? []) {
      const name = entry.name.replace(/\.(sock|spec|json)$/, '')
      if (entry.isDirectory() || name !== entry.name) names.add(name)
    }
  }
  return [...names].toSorted()
}

function candidates(directory: string, name: string, extension: string): string[] {
  return [join(directory, `${name}.${extension}`), join(directory, name, `${name}.${extension}`)]
}

async function readSpec(path: string): Promise<string | undefined> {
  const found = await ifThere(stat(path))
  if (!found?.isFile()) return undefined
  if (found.size > specLimit) throw invalid(`the plugin file ${path} is larger than ${specLimit} bytes`)
  return await readFile(path, 'utf8')
}

function parseJsonSpec(name: string, text: string, path: string): PluginAddress {
  const spec = parseObject(text, path)
  const tls = typeof spec.TLSConfig === 'object' && spec.TLSConfig !== null ? spec.TLSConfig : undefined
  const word = (key: string): string => {
    const value: unknown = tls && Reflect.get(tls, key)
    return typeof value === 'string' ? value : ''
  }
  return {
    name,
    url: parseUrl(typeof spec.Addr === 'string' ? spec.Addr : '', path),
    tls: tls && {
      insecure: Reflect.get(tls, 'InsecureSkipVerify') === true,
      ca: word('CAFile'),
      cert: word('CertFile'),
      key: word('KeyFile'),
    },
  }
}

function parseObject(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Told below, without the text.
  }
  throw invalid(`the plugin file ${path} is not a JSON object`)
}

function parseUrl(text: string, path: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && ['unix:', 'tcp:', 'http:', 'https:'].includes(url.protocol)) return url
  throw invalid(`the plugin file ${path} names no address: it must be unix://…, tcp://…, http://… or https://…`)
}

async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
