import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitFor } from './wait-for.ts'

const top = '/sys/fs/cgroup'

/** What a container with rights on its cgroups may do: moves a process to a new group below `cgroup`, and freezes that. */
export async function freezeInside(cgroup: string, pid: number): Promise<void> {
  const v1 = existsSync(join(top, 'freezer', cgroup))
  const inner = join(top, v1 ? 'freezer' : '', cgroup, 'inner')
  await mkdir(inner)
  await writeFile(join(inner, 'cgroup.procs'), `${pid}`)
  await writeFile(join(inner, v1 ? 'freezer.state' : 'cgroup.freeze'), v1 ? 'FROZEN' : '1')
  const [file, frozen] = v1 ? ['freezer.state', 'FROZEN'] : ['cgroup.events', 'frozen 1']
  await waitFor('the inner group is frozen', async () => (await readFile(join(inner, file), 'utf8')).includes(frozen))
}
