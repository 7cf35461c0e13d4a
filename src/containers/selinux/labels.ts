import { internal } from '#base/errors.ts'
import { formatContext, parseContext, withLevel } from './context.ts'
import type { HostLabels } from './host-labels.ts'
import { privilegedLevel } from './levels.ts'

/** What a container runs under. */
export interface SelinuxLabels {
  /** '': unconfined. */
  readonly process: string
  /** Of its root and of file systems made for it; '': theirs. */
  readonly mount: string
}

type ContextField = 'user' | 'role' | 'type' | 'level'

const processFields: readonly string[] = ['user', 'role', 'type', 'level'] satisfies ContextField[]

/**
 * Labels of a new container.
 * @param options of `--security-opt label=`: `disable`, or `user:`, `role:`, `type:`, `level:`, `filetype:` and a value
 * @param newLevel called when the policy has levels
 * @throws `internal` in Docker's words, which answers 500 to them
 */
export function labelsOf(host: HostLabels, options: readonly string[], newLevel: () => string): SelinuxLabels {
  if (host.process === '' || host.file === '') return { process: '', mount: host.file }
  let process = parseContext(host.process)
  let mount = parseContext(host.file)
  if (process.level !== '') {
    const level = newLevel()
    process = { ...process, level }
    mount = { ...mount, level }
  }
  for (const option of options) {
    if (option === 'disable') return { process: '', mount: withLevel(host.file, privilegedLevel) }
    const [field, value] = parseOption(option)
    if (field === 'filetype') {
      mount = { ...mount, type: value }
      continue
    }
    process = { ...process, [field]: value }
    if (field === 'level' || field === 'user') mount = { ...mount, [field]: value }
  }
  return { process: formatContext(process), mount: formatContext(mount) }
}

function parseOption(option: string): [field: ContextField | 'filetype', value: string] {
  const at = option.indexOf(':')
  if (at < 0) {
    throw internal(
      `bad label option ${JSON.stringify(option)}, valid options 'disable' or \n'user, role, level, type, filetype' followed by ':' and a value`,
    )
  }
  const field = option.slice(0, at)
  if (!isField(field)) {
    throw internal(
      `bad label option ${JSON.stringify(field)}, valid options 'disable, user, role, level, type, filetype'`,
    )
  }
  return [field, option.slice(at + 1)]
}

function isField(field: string): field is ContextField | 'filetype' {
  return field === 'filetype' || processFields.includes(field)
}

/** Levels that no other container is to get. */
export function levelsOf({ process, mount }: SelinuxLabels): string[] {
  return [process, mount].filter((label) => label !== '').map((label) => parseContext(label).level)
}
