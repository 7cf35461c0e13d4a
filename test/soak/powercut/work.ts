/** Pulls, loads, commits and removes images in a data root until it is ended: node work.ts ROOT REGISTRY SEED SECONDS. */
import { Readable } from 'node:stream'
import { isKind } from '#base/errors.ts'
import { openTestImages } from '../../support/images.ts'
import { commitImage } from '../commit-image.ts'
import { random } from '../random.ts'
import { archiveOf, committedFile, imageCount, powercutImages } from './images.ts'

const [root = '', registry = '', seed = '1', seconds = '10'] = process.argv.slice(2)
const images = await openTestImages({ root, isPatient: true })
const made = powercutImages()
const end = performance.now() + Number(seconds) * 1000

async function work(worker: number): Promise<void> {
  const next = random(Number(seed) * 100 + worker)
  for (let turn = 0; performance.now() < end; turn += 1) {
    const n = Math.trunc(next() * imageCount)
    try {
      await one(next(), n, worker * 1_000_000 + turn)
    } catch (error) {
      if (!isKind(error, 'not-found') && !isKind(error, 'conflict')) throw error
    }
  }
}

async function one(what: number, n: number, number: number): Promise<void> {
  const name = `${registry}/app:${n}`
  const committed = `${registry}/committed:${n}`
  if (what < 0.35) await images.pull(name)
  else if (what < 0.5) await load(n, name)
  else if (what < 0.65) await commit(n, number, { name, committed })
  else if (what < 0.75) await images.service.remove(committed, { force: true, noPrune: false })
  else await images.service.remove(name, { force: true, noPrune: false })
}

async function load(n: number, name: string): Promise<void> {
  const image = made[n]
  if (!image) throw new Error(`no image ${n}`)
  const archive = Readable.from([archiveOf(image, name)], { objectMode: false })
  for await (const _ of await images.service.load({ archive, quiet: true }, new AbortController().signal)) void _
}

async function commit(of: number, number: number, { name, committed }: { name: string; committed: string }) {
  const comment = JSON.stringify({ of, number })
  await commitImage(images, name, { file: committedFile(number), comment, reference: committed })
}

await Promise.all([0, 1, 2].map(work))
// As a machine that loses its power: nothing is closed.
process.kill(process.pid, 'SIGKILL')
