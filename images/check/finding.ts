import { collect } from '../store/garbage.ts'
import type { Finding } from './check-event.ts'
import type { CheckPorts, CheckRun } from './check-ports.ts'
import { usersOf } from './users-of.ts'

export type Outcome = Pick<Finding, 'repair' | 'failure'>

/** What is wrong with a blob or layer and whom it touches, mended where the run is to mend. */
export async function damage(
  ports: CheckPorts,
  what: Pick<Finding, 'object' | 'name' | 'problem' | 'details'>,
  { repair }: CheckRun,
  mend: () => Promise<Outcome>,
): Promise<Finding> {
  const { images, containers } = usersOf(ports, what.name)
  const finding: Finding = { ...what, images, containers }
  return repair ? { ...finding, ...(await mend()) } : finding
}

/** What nobody needs, removed where the run is to mend. */
export async function unneeded(
  ports: CheckPorts,
  what: Pick<Finding, 'object' | 'name'>,
  { repair }: CheckRun,
): Promise<Finding> {
  if (repair) await collect(ports, [what.name])
  const finding: Finding = { ...what, problem: 'unneeded', details: [], images: [], containers: [] }
  return repair ? { ...finding, repair: 'removed' } : finding
}
