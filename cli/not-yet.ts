import { catalog, groups } from './catalog.ts'

/** Commands of docker that Berth has not yet, without the groups' second spelling. */
const commands = [
  ...['build', 'builder', 'checkpoint', 'config', 'manifest', 'node', 'plugin', 'secret', 'service', 'stack', 'swarm'],
  'trust',
]
const ofGroups: Readonly<Record<string, readonly string[]>> = {
  image: ['build'],
}

export function isNotYet(first: string, second: string): boolean {
  return commands.includes(first) || (ofGroups[first]?.includes(second) ?? false)
}

/** A word that is docker's own command, and so no plugin's. */
export function isBuiltin(name: string): boolean {
  return (
    commands.includes(name) ||
    Object.hasOwn(groups, name) ||
    ['daemon', 'help', 'runtime'].includes(name) ||
    catalog.some(({ spellings }) => spellings.includes(name))
  )
}
