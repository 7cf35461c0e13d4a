import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestDaemon } from './daemon.ts'
import { dockerCli } from './dockerd.ts'
import { waitFor } from './wait-for.ts'

/** A docker command that goes on. Disposing kills it. */
export interface Following extends AsyncDisposable {
  /** What it has printed so far. */
  readonly output: string
  /** Waits until it has printed this. */
  until(text: string): Promise<unknown>
  /** Its exit code, once it has ended and all its output is here. */
  exit(): Promise<number>
}

export function followDocker(daemon: TestDaemon, ...args: readonly string[]): Following {
  const env = { ...process.env, DOCKER_HOST: daemon.host, DOCKER_CONFIG: daemon.directory }
  const child = spawn(dockerCli(), args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString()
  })
  return {
    get output() {
      return output
    },
    until: (text) => waitFor(`docker ${args[0]} prints ${text}`, () => output.includes(text)),
    exit: async () => Number((await closed)[0]),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
