/** Pulls, removes and loads images in a data root until it is ended: node work.ts ROOT REGISTRY SEED SECONDS. */
import { isKind } from '#base/errors.ts'
import { openTestImages } from '../../support/images.ts'
import { random } from '../random.ts'
import { imageCount } from './images.ts'

const [root = '', registry = '', seed = '1', seconds = '10'] = process.argv.slice(2)
const images = await openTestImages({ root, isPatient: true })
const end = performance.now() + Number(seconds) * 1000

async function work(worker: number): Promise<void> {
  const next = random(Number(seed) * 100 + worker)
  while (performance.now() < end) {
    const name = `${registry}/app:${Math.trunc(next() * imageCount)}`
    try {
      if (next() < 0.6) await images.pull(name)
      else await images.service.remove(name, { force: true, noPrune: false })
    } catch (error) {
      if (!isKind(error, 'not-found') && !isKind(error, 'conflict')) throw error
    }
  }
}
await Promise.all([0, 1, 2].map(work))
// As a machine that loses its power: nothing is closed.
process.kill(process.pid, 'SIGKILL')
