/**
 * npm run soak -- store-faults [--every N [--offset N]] [--call NAME] [--process PATTERN] [--kill] [VERB…]: fails what a daemon does to the files of
 * its data root (process 0), and all that its berth-unpack does (overlay.1.2), one system call after the other, while it pulls, loads, imports, commits, removes and prunes: the caller must be told what for, nothing may be left, the daemon must go
 * on. With --kill the daemon dies at each of them instead, and is started again. Exits 1 when an outcome is not as it should be.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { getSystemErrorName, parseArgs } from 'node:util'
import { type Call, type Fault, type Trace, traceBelow } from '../../native/faults/injector.ts'
import { waitFor } from '../../support/wait-for.ts'
import { errnosOf, whyTolerated } from './calls.ts'
import { type StoreScene, scenesOf } from './scenes.ts'
import { openStage, type Stage, type StoreState, untilState } from './stage.ts'

interface Play {
  readonly trace: Trace
  readonly error: string | undefined
  readonly left: readonly string[]
  /** What the daemon said. */
  readonly log: string
}

interface Ends {
  readonly before: StoreState
  readonly after: StoreState
}

const attempts = 3
const unnoticed = 'the failure was not noticed'
/** Follows a change of the images within a moment. */
const indexInTheMaking = '/content/.index.json.'
const { values, positionals } = parseArgs({
  options: {
    every: { type: 'string' },
    offset: { type: 'string' },
    call: { type: 'string' },
    kill: { type: 'boolean' },
    process: { type: 'string' },
  },
  allowPositionals: true,
})
const [every, offset] = [Number(values.every ?? 1), Number(values.offset ?? 0)]
let [count, wrong] = [0, 0]
{
  await using stage = await openStage()
  for (const scene of scenesOf(stage)) {
    if (positionals.length > 0 && !positionals.includes(scene.title)) continue
    await campaign(stage, scene)
  }
}
process.stdout.write(`${count} faults, ${wrong} wrong\n`)
process.exitCode = wrong === 0 && count > 0 ? 0 : 1

async function campaign(stage: Stage, scene: StoreScene): Promise<void> {
  await playClean(stage, scene) // what is opened once and kept is there afterwards
  const { ends, calls } = await playClean(stage, scene)
  const wanted = calls.filter(
    ({ name, process }) => name === (values.call ?? name) && new RegExp(values.process ?? '').test(process),
  )
  const faults = wanted.flatMap((call) =>
    (values.kill ? [0] : errnosOf(call)).map((errno): Fault => ({ ...call, errno })),
  )
  for (const [index, fault] of faults.entries()) {
    if (index % every === offset % every) await failOne(stage, scene, { fault, ends })
  }
}

async function playClean(stage: Stage, scene: StoreScene): Promise<{ ends: Ends; calls: readonly Call[] }> {
  await scene.prepare()
  const before = await quiet(stage)
  const { trace, result } = await traced(stage, undefined, scene.act)
  if (result !== undefined) throw new Error(`${scene.title}, undisturbed: ${result}`)
  const after = await quiet(stage)
  await scene.undo()
  return { ends: { before, after }, calls: trace.calls }
}

/** When background work has ended. */
async function quiet(stage: Stage): Promise<StoreState> {
  for (;;) {
    const found = { ...(await stage.look()), children: 0 }
    if (found.files.some((path) => path.includes(indexInTheMaking))) continue
    if ((await untilState(stage, [found])).length === 0) return found
  }
}

async function failOne(stage: Stage, scene: StoreScene, { fault, ends }: { fault: Fault; ends: Ends }): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await scene.prepare()
    await untilState(stage, [ends.before])
    const play = await playOnce(stage, scene, { fault, ends })
    await scene.undo()
    // Threads share the work in no order: a later call may not be made. What an earlier failure left to be swept later may have taken this one.
    const isUnsure = play.trace.failed === undefined || problemOf(scene.title, fault, play) === unnoticed
    if (isUnsure && attempt < attempts) continue
    tell(scene, fault, play)
    return
  }
}

async function playOnce(
  stage: Stage,
  scene: StoreScene,
  { fault, ends: { before, after } }: { fault: Fault; ends: Ends },
): Promise<Play> {
  const told = stage.daemon.log.length
  const { trace, result: error } = await traced(stage, fault, () =>
    scene.act().catch((failure: Error) => `no answer: ${failure.message}`),
  )
  // It may have been a child of the daemon, between fork and execve, that died at the call; then the daemon goes on.
  if (fault.errno === 0 && trace.failed) {
    await waitFor('the daemon is dead, or serves', async () => !stage.daemon.isRunning || (await serves(stage)))
  }
  if (!stage.daemon.isRunning) {
    await stage.daemon.start()
    const left = [...(await untilState(stage, [before, after])), ...(await damage(stage))]
    return { trace, error, left, log: fault.errno === 0 ? '' : `it died: ${stage.daemon.log.slice(told, told + 2000)}` }
  }
  // A failed sync undoes nothing: the image is listed, and the caller knows that it may not survive a power cut.
  const mayBeDone = scene.isRemoval || (trace.failed?.name === 'fdatasync' && trace.failed.what.includes('/state.db'))
  const wanted = error === undefined ? [after] : mayBeDone ? [before, after] : [before]
  const left = [...(await untilState(stage, wanted)), ...(await damage(stage)), ...(await untrusted(stage, trace))]
  return { trace, error, left, log: stage.daemon.log.slice(told) }
}

/** A download that stays although it could not be written out: nobody would notice if it were not on the disk. */
async function untrusted(stage: Stage, { failed }: Trace): Promise<string[]> {
  if (failed?.name !== 'fsync') return []
  return (await stage.partials()).filter((name) => failed.what.includes(name)).map((name) => `download ${name}`)
}

async function serves({ daemon }: Stage): Promise<boolean> {
  return (await daemon.request('GET', '/_ping').catch(() => undefined))?.status === 200
}

async function traced<T>(stage: Stage, fault: Fault | undefined, act: () => Promise<T>) {
  const report = join(stage.daemon.directory, 'report')
  await rm(report, { force: true })
  const { pid, dataRoot: directory } = stage.daemon
  return await traceBelow({ pid, directory, program: 'berth-unpack' }, report, fault, act)
}

async function damage({ daemon }: Stage): Promise<string[]> {
  const { body } = await daemon.request('POST', '/x/system/check')
  return body.split('\n').filter((line) => line.includes('"finding"') || line.includes('"Finding"'))
}

function tell({ title }: StoreScene, fault: Fault, play: Play): void {
  const { trace, error, log } = play
  count += 1
  const call = trace.failed ?? fault
  const words = error ?? (log === '' ? 'succeeded' : `succeeded; logged ${log.trim().slice(0, 300)}`)
  const name = fault.errno === 0 ? 'killed' : getSystemErrorName(-fault.errno)
  const where = call.process === '0' ? '' : ` in berth-unpack (${call.process})`
  process.stdout.write(`${title}, ${call.name} ${call.k} ${call.what}${where}, ${name}: ${words}\n`)
  const problem = problemOf(title, fault, play)
  if (problem === undefined) return
  wrong += 1
  process.stdout.write(`WRONG: ${problem}\n`)
}

function problemOf(verb: string, fault: Fault, { trace, error, left, log }: Play): string | undefined {
  if (log.startsWith('it died')) return log
  if (left.length > 0) return `left: ${left.join('; ')}`
  if (trace.failed === undefined || fault.errno === 0) return undefined
  if (error === undefined) {
    const isKnown = log !== '' || whyTolerated(verb, { ...trace.failed, errno: fault.errno }) !== undefined
    return isKnown ? undefined : unnoticed
  }
  if (error.startsWith('no answer')) return 'the daemon gave no answer'
  const name = getSystemErrorName(-fault.errno)
  if (name === 'ENOSPC' && !/no space left .*free/i.test(error)) return 'no word of the free space'
  if (/^E[A-Z]+: |^\w+ E[A-Z]+$/.test(error)) return 'the error names no purpose'
  return undefined
}
