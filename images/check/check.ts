import { checkBlobs } from './blobs.ts'
import type { CheckEvent, Finding } from './check-event.ts'
import type { CheckPorts, CheckRun } from './check-ports.ts'
import { checkLayers } from './layers.ts'

/**
 * Checks the database, every blob against its digest and every layer against its record; mends what can be mended when it is asked to. Safe
 * beside everything else: what changes meanwhile is looked at again before it is told of. The summary comes last.
 */
export async function* checkStore(ports: CheckPorts, run: CheckRun): AsyncGenerator<CheckEvent> {
  let [unrecorded, problems, repairs] = [0, 0, 0]
  const { blobs, layers } = await countObjects(ports)
  for await (const event of checkParts(ports, run, () => unrecorded++)) {
    if ('finding' in event && event.finding.problem !== 'unneeded') {
      problems += 1
      if (event.finding.repair !== undefined) repairs += 1
    }
    yield event
  }
  yield { summary: { blobs, layers, unrecorded, problems, repaired: repairs } }
}

async function countObjects({ content, snapshots }: CheckPorts): Promise<{ blobs: number; layers: number }> {
  const layers = snapshots.list().filter(({ kind }) => kind === 'committed').length
  return { blobs: (await content.list()).length, layers }
}

async function* checkParts(ports: CheckPorts, run: CheckRun, counted: () => void): AsyncGenerator<CheckEvent> {
  for (const detail of ports.database.problems()) yield { finding: databaseFinding(detail) }
  yield* checkBlobs(ports, run)
  yield* checkLayers(ports, run, counted)
}

function databaseFinding(detail: string): Finding {
  return {
    ...{ object: 'database', name: '', problem: 'damaged', details: [detail], images: [], containers: [] },
    failure: 'it cannot be mended: bring it back from a copy, or begin with an empty data root',
  }
}
