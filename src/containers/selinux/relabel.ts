import { readFileSync } from 'node:fs'
import { open, readlink } from 'node:fs/promises'
import { internal, messageOf } from '#base/errors.ts'
import type { MountPoint } from '../container.ts'
import type { FileLabels } from '../ports.ts'
import { withLevel } from './context.ts'

/** open(2)'s; Node has no name for it. Nothing is opened for real: a FIFO or device is not touched. */
const O_PATH = 0o10000000

/** As dockerd refuses them: with labels of a container the host would not work any more. What is below them may be labelled. */
const neverRelabelled =
  `/ /bin /boot /dev /etc /etc/passwd /etc/pki /etc/shadow /home /lib /lib64 /media /opt /proc /root /run /sbin /srv /sys /tmp
/usr /var /var/lib /var/log`.split(/\s+/)

/** `z`: containers share the files; `Z`: they are this one's; undefined: they keep their labels. */
function relabelOf({ mode = '', origin, source }: Relabelled): 'shared' | 'private' | undefined {
  // Volumes that an image declares are shared like those that have a name.
  if (mode.includes('z') || (origin === 'volumes' && source !== '')) return 'shared'
  return mode.includes('Z') ? 'private' : undefined
}

type Relabelled = Pick<MountPoint, 'mode' | 'source' | 'origin'>

interface Relabelling {
  readonly files: FileLabels
  readonly mountLabel: string
  readonly signal: AbortSignal
}

/** Labels the sources of `:z` and `:Z`.   @throws `internal` in Docker's words */
export async function relabelSources(
  mounts: readonly Relabelled[],
  { files, mountLabel, signal }: Relabelling,
): Promise<void> {
  // One after the other: two may name the same files, and the last one counts.
  for (const mount of mounts) {
    const asked = relabelOf(mount)
    if (asked === undefined) continue
    const label = asked === 'shared' ? withLevel(mountLabel, 's0') : mountLabel
    await relabelSource(mount.source, (descriptor) => files.setBelow(descriptor, label, signal))
  }
}

async function relabelSource(source: string, relabel: (descriptor: number) => Promise<void>): Promise<void> {
  let path = source
  try {
    await using held = await open(source, O_PATH)
    // What was opened, whatever links led there.
    path = await readlink(`/proc/self/fd/${held.fd}`)
    if (neverRelabelled.includes(path) || homes().includes(path))
      throw new Error(`SELinux relabeling of ${path} is not allowed`)
    await relabel(held.fd)
  } catch (cause) {
    throw internal(`error setting label on mount source '${path}': ${messageOf(cause)}`, { cause })
  }
}

/** A directory of ours, with everything in it. */
export async function labelBelow(path: string, { files, mountLabel, signal }: Relabelling): Promise<void> {
  await using held = await open(path, O_PATH)
  await files.setBelow(held.fd, mountLabel, signal)
}

/** Of whoever started the daemon. */
function homes(): string[] {
  const { HOME = '', SUDO_USER = '' } = process.env
  return [HOME, SUDO_USER === '' ? '' : homeOf(SUDO_USER)].filter((home) => home !== '')
}

function homeOf(user: string): string {
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n')
  return accounts.map((line) => line.split(':')).find(([name]) => name === user)?.[5] ?? ''
}
