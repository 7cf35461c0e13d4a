import { invalid } from '#base/errors.ts'

/** What the kernel keeps per namespace, so that a container may have its own. */
const namespaced = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
])

/** `--sysctl net.ipv4.ip_forward=1`.   @throws `invalid` in Docker's words */
export function checkSysctl(text: string): string {
  const name = text.split('=', 1)[0] ?? ''
  const allowed = namespaced.has(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.')
  if (!allowed || !text.includes('=')) throw invalid(`sysctl '${text}' is not allowed`)
  return text
}
