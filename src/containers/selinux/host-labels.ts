import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '#base/errors.ts'

/** What the host's policy gives containers, before categories; '' where it says nothing. */
export interface HostLabels {
  readonly process: string
  readonly file: string
  /** Files that containers share and cannot write. */
  readonly readOnlyFile: string
}

/** Of distributions first, of the policy second, as dockerd looks for it. */
const distributionFile = '/usr/share/containers/selinux/contexts'

/**
 * The labels of the host's policy; undefined where SELinux is not active: no selinuxfs that can be written, or no policy.
 * @param root everything is read below it
 */
export function findHostLabels(root = '/'): HostLabels | undefined {
  const read = (path: string) => readIfThere(join(root, path)) ?? ''
  if (!isMounted(read('/proc/self/mountinfo')) || isWithoutPolicy(read('/proc/thread-self/attr/current')))
    return undefined
  const type = assignments(read('/etc/selinux/config')).get('SELINUXTYPE') ?? ''
  const text = readIfThere(join(root, distributionFile)) ?? read(join('/etc/selinux', type, 'contexts/lxc_contexts'))
  const labels = assignments(text)
  const file = labels.get('file') ?? ''
  return { process: labels.get('process') ?? '', file, readOnlyFile: labels.get('ro_file') ?? file }
}

function isMounted(mountinfo: string): boolean {
  return mountinfo.split('\n').some((line) => {
    const [mount = '', filesystem = ''] = line.split(' - ', 2)
    const [type, , superOptions = ''] = filesystem.split(' ')
    const options = `${mount.split(' ')[5]},${superOptions}`.split(',')
    return type === 'selinuxfs' && !options.includes('ro')
  })
}

/** Before a policy is loaded everything runs under the kernel's first label. */
function isWithoutPolicy(label: string): boolean {
  return label.replace(/\0$/, '').trim() === 'kernel'
}

/** `key = "value"` lines; `#` and `;` begin comments. */
function assignments(text: string): Map<string, string> {
  const lines = text.split('\n').map((line) => line.trim())
  return new Map(
    lines
      .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith(';') && line.includes('='))
      .map((line) => {
        const at = line.indexOf('=')
        return [
          line.slice(0, at).trim(),
          line
            .slice(at + 1)
            .trim()
            .replace(/^"+|"+$/g, ''),
        ]
      }),
  )
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    // The kernel's label file answers EINVAL where no security module is active.
    if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
