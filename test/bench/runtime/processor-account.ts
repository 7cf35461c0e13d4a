import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { waitFor } from '../../support/wait-for.ts'

const execute = promisify(execFile)
const cgroups = '/sys/fs/cgroup'

/**
 * Processor time of commands with all their descendants, in whichever process it was spent: a control group counts it in
 * nanoseconds. A wall clock says nothing on a machine that others use.
 */
export interface ProcessorAccount extends AsyncDisposable {
  /** For `linux.cgroupsPath`: a container there counts too. */
  readonly containerGroup: string
  /** Nanoseconds so far. */
  read(): bigint
  /** From here on this process counts. */
  enter(pid: number): void
  /** Runs a command to its end.   @throws when it does not exit with 0 */
  run(command: readonly string[], output?: string): Promise<void>
}

export async function openProcessorAccount(directory: string): Promise<ProcessorAccount> {
  const name = `berth-bench-${process.pid}`
  const unified = existsSync(join(cgroups, 'cgroup.controllers'))
  const group = join(cgroups, unified ? '' : 'cpuacct', name)
  const own = join(group, 'self')
  mkdirSync(own, { recursive: true })

  const program = join(directory, 'spawner')
  await execute('gcc', [
    '-std=gnu17',
    '-O1',
    '-D_GNU_SOURCE',
    '-static',
    '-o',
    program,
    join(import.meta.dirname, 'spawner.c'),
  ])
  const errors = join(directory, 'spawner.log')
  const spawner = spawn('sh', ['-c', 'exec "$0" 2>>"$1"', program, errors], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: spawner.stdout })[Symbol.asyncIterator]()
  await waitFor('the spawner runs', () => readFileSync(`/proc/${spawner.pid}/comm`, 'utf8') === 'spawner\n')
  const enter = (pid: number): void => writeFileSync(join(own, 'cgroup.procs'), `${pid}`)
  enter(spawner.pid ?? 0)

  return {
    containerGroup: `/${name}/container`,
    enter,
    read: () =>
      unified
        ? BigInt(/^usage_usec (\d+)$/m.exec(readFileSync(join(group, 'cpu.stat'), 'utf8'))?.[1] ?? 0) * 1000n
        : BigInt(readFileSync(join(group, 'cpuacct.usage'), 'utf8').trim()),
    async run(command, output) {
      spawner.stdin.write(`${[...(output === undefined ? [] : [`out:${output}`]), ...command].join('\t')}\n`)
      const { value } = await answers.next()
      if (value !== '0')
        throw new Error(`${command.join(' ')} exited with ${value}: ${readFileSync(errors, 'utf8').slice(-500)}`)
    },
    async [Symbol.asyncDispose]() {
      spawner.stdin.end()
      await waitFor('the group is empty', () => readFileSync(join(own, 'cgroup.procs'), 'utf8') === '')
      for (const hierarchy of ['', ...readdirSync(cgroups)]) removeGroups(join(cgroups, hierarchy, name))
    },
  }
}

function removeGroups(path: string): void {
  if (!existsSync(join(path, 'cgroup.procs'))) return // not there, or a plain directory of a runtime that sees no newer hierarchy
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroups(join(path, entry.name))
  rmdirSync(path)
}
