import { getSystemErrorMap, getSystemErrorName } from 'node:util'
import { errnoOf, whyNotFailed, whyTolerated } from './calls.ts'
import type { Call } from './injector.ts'
import type { Ending, Scene } from './scene.ts'

export interface Outcome {
  readonly line: string
  /** What is wrong with it. */
  readonly problem: string | undefined
}

const attempts = 3

/**
 * Plays a scene once undisturbed, then once for every `step`-th call that was seen, with that call failing.
 * @param tell gets each outcome as it comes
 */
export async function failEachCall(scene: Scene, step: number, tell: (outcome: Outcome) => void): Promise<void> {
  await scene.play(undefined) // what is made once and kept (compiled filters) is there afterwards
  const clean = await scene.play(undefined)
  if (clean.error !== undefined || clean.leaks.length > 0) {
    tell({ line: `${scene.title}, undisturbed`, problem: `${clean.error ?? ''} ${clean.leaks.join('; ')}`.trim() })
    return
  }
  for (const [index, call] of clean.trace.calls.entries()) {
    if (index % step === 0) tell(await failOne(scene, index + 1, call))
  }
}

async function failOne(scene: Scene, n: number, call: Call): Promise<Outcome> {
  const begin = `${scene.title}, call ${n} (process ${call.process}: ${call.name} ${call.what})`
  const never = whyNotFailed(call)
  if (never !== undefined) return { line: `${begin}, not failed: ${never}, leaks 0`, problem: undefined }
  const errno = errnoOf(call)
  const name = getSystemErrorName(-errno)
  for (let attempt = 1; ; attempt += 1) {
    const ending = await scene.play({ ...call, errno })
    // Which of two processes comes first is not always the same, and then a later call may not be made.
    if (ending.trace.failed === undefined && attempt < attempts) continue
    if (ending.trace.failed === undefined && !(await isStillMade(scene, call)))
      return { line: `${begin}, not failed: an undisturbed run has no such call any more, leaks 0`, problem: undefined }
    const line = `${begin}, ${name}, ${ending.error ?? 'succeeded'}, leaks ${ending.leaks.length}`
    return { line, problem: problemOf(scene.verb, ending, call, errno) }
  }
}

/** How often a file like mountinfo is read is for the host to say; then the last calls of a name go, and those before have been failed. */
async function isStillMade(scene: Scene, { process, name, k }: Call): Promise<boolean> {
  const { trace } = await scene.play(undefined)
  return trace.calls.some((call) => call.process === process && call.name === name && call.k === k)
}

function problemOf(verb: string, { trace, error, leaks }: Ending, call: Call, errno: number): string | undefined {
  if (trace.failed === undefined) return `the call was not made in ${attempts} attempts`
  if (trace.hung) return 'it never ended'
  if (leaks.length > 0) return `left: ${leaks.join('; ')}`
  if (error === undefined) return whyTolerated(call, verb) === undefined ? 'the failure was not noticed' : undefined
  const step = error.replace(/^berth-runtime: /, '')
  const [, words = ''] = getSystemErrorMap().get(-errno) ?? []
  if (step.length < 8 || step.toLowerCase() === words) return `the error names no step: '${error}'`
  return undefined
}
