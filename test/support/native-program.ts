import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..')
const directory = join(root, 'build', 'test')
const execute = promisify(execFile)

/** Builds test/native/<name>.c, static, with the runtime's library as the shim links it.   @returns the program's path */
export async function buildNativeTest(name: string): Promise<string> {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const program = join(directory, name)
  await mkdir(directory, { recursive: true })
  await execute('make', ['-s', '-C', join(root, 'runtime'), '../build/native/librt.a'])
  await execute('musl-gcc', [
    ...['-std=gnu17', '-g', '-O1', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wconversion', '-Werror', '-static'],
    ...['-idirafter', '/usr/include', '-idirafter', `/usr/include/${machine}-linux-gnu`],
    ...['-I', join(root, 'runtime', 'lib'), '-o', program, join(root, 'test', 'native', `${name}.c`)],
    join(root, 'build', 'native', 'librt.a'),
  ])
  return program
}

/** Builds test/native/runtime/<name>.c, static, with all of the library.   @returns the program's path */
export async function buildRuntimeProgram(name: string): Promise<string> {
  const target = `build/obj/test/runtime/${name}`
  await execute('make', ['-s', '-C', join(root, 'runtime'), `../${target}`])
  return join(root, target)
}

export interface NativeResult {
  /** Sentences of the checks that did not hold, and whatever else went wrong. */
  readonly failures: readonly string[]
  readonly passed: number
  readonly output: string
}

/** Runs a program that reports as test/native/check.h does. */
export async function runNativeTest(command: readonly string[], timeoutMs: number): Promise<NativeResult> {
  const [file = '', ...args] = command
  const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 << 20 } as const
  const { promise, resolve } = Promise.withResolvers<NativeResult>()
  execFile(file, args, options, (error, stdout, stderr) => {
    const lines = stdout.split(/\r?\n/)
    const failures = lines.filter((line) => line.startsWith('not ok'))
    if (error && failures.length === 0) failures.push(`${error.message}\n${stdout}\n${stderr}`)
    if (!error && !lines.includes('passed: 0 failed')) failures.push(`no closing line\n${stdout}`)
    resolve({ failures, passed: lines.filter((line) => line.startsWith('ok')).length, output: stdout })
  })
  return promise
}
