import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigFile } from '../config/config-file.ts'
import { canNamePlugin, type Plugin, readPlugin } from './plugin.ts'

const prefix = 'docker-'

/** Docker's own, after those of the user. */
const systemDirectories = [
  ...['/usr/local/lib/docker/cli-plugins', '/usr/local/libexec/docker/cli-plugins'],
  ...['/usr/lib/docker/cli-plugins', '/usr/libexec/docker/cli-plugins'],
]

export interface PluginPlaces {
  readonly configDirectory: string
  readonly config: Pick<ConfigFile, 'cliPluginsExtraDirs'>
  /** Words that are no plugin's. */
  isBuiltin(name: string): boolean
}

/** The first plugin of that name, or undefined when there is none that works. */
export async function findPlugin(places: PluginPlaces, name: string): Promise<Plugin | undefined> {
  if (!canNamePlugin(name)) return undefined
  const [path] = candidates(places).get(name) ?? []
  if (path === undefined) return undefined
  const plugin = await readPlugin(name, path, places.isBuiltin)
  return plugin.Err === undefined ? plugin : undefined
}

/** All, also those that do not work, by name. */
export async function listPlugins(places: PluginPlaces): Promise<Plugin[]> {
  const plugins = [...candidates(places)].map(async ([name, [path = '', ...shadowed]]): Promise<Plugin> => {
    const plugin = await readPlugin(name, path, places.isBuiltin)
    return shadowed.length === 0 ? plugin : { ...plugin, ShadowedPaths: shadowed }
  })
  return (await Promise.all(plugins)).toSorted((a, b) => (a.Name < b.Name ? -1 : 1))
}

/** Paths by name, the one that counts first. */
function candidates({ configDirectory, config }: PluginPlaces): Map<string, string[]> {
  const directories = [
    ...(config.cliPluginsExtraDirs ?? []),
    join(configDirectory, 'cli-plugins'),
    ...systemDirectories,
  ]
  const found = new Map<string, string[]>()
  for (const directory of directories) {
    for (const file of programsIn(directory)) {
      const name = file.slice(prefix.length)
      found.set(name, [...(found.get(name) ?? []), join(directory, file)])
    }
  }
  return found
}

/** A directory that cannot be read has none. */
function programsIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.name.startsWith(prefix) && (entry.isFile() || entry.isSymbolicLink()))
      .map(({ name }) => name)
  } catch {
    return []
  }
}
