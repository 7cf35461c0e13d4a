import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Milliseconds of a whole process from spawn to exit.   @throws when it does not exit with 0 */
export async function timeProcess(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const begin = performance.now()
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  const elapsed = performance.now() - begin
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}: ${errors}`)
  return elapsed
}

/** Standard output of a process.   @throws when it does not exit with 0 */
export async function outputOf(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}`)
  return text
}

/** Runs the subjects in turn, so that noise of the machine falls on all alike; a few rounds of warming up are not counted. */
export async function alternate<Name extends string>(
  subjects: Readonly<Record<Name, () => Promise<number>>>,
  { rounds, warmUp = 3 }: { rounds: number; warmUp?: number },
): Promise<Record<Name, number[]>> {
  const names = Object.keys(subjects) as Name[]
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const name of names) {
      const value = await subjects[name]()
      if (round >= 0) samples[name].push(value)
    }
  }
  return samples
}

export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5)

/** Proportional set size of a process in kB: shared pages are divided among those who share them. */
export function pssKilobytes(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
