/** Commands of docker that Berth has not yet, without the groups' second spelling. */
const commands = [...['build', 'builder', 'buildx', 'compose', 'cp'], ...['manifest', 'plugin', 'swarm']]
const ofGroups: Readonly<Record<string, readonly string[]>> = {
  container: ['cp'],
  image: ['build'],
}

export function isNotYet(first: string, second: string): boolean {
  return commands.includes(first) || (ofGroups[first]?.includes(second) ?? false)
}
