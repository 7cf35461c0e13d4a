import { invalid } from '#base/errors.ts'
import type { ContainerConfig } from '../container.ts'

/** Entrypoint and command as one command line.   @throws `invalid` when there is none, in Docker's words */
export function commandOf({ entrypoint, cmd }: Pick<ContainerConfig, 'entrypoint' | 'cmd'>): {
  path: string
  args: string[]
} {
  const [path, ...args] = [...(entrypoint ?? []), ...(cmd ?? [])]
  if (path === undefined) throw invalid('no command specified')
  return { path, args }
}
