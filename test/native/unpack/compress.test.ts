import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'
import { waitFor } from '#test/support/wait-for.ts'

let tool: string

beforeAll(async () => {
  tool = await buildUnpackTool()
})

const decompress = { gzip: gunzipSync, zstd: zstdDecompressSync }
const formats = ['gzip', 'zstd'] as const

async function compress(format: (typeof formats)[number], plain: Buffer, prefix: readonly string[] = []) {
  await using directory = await tempDirectory()
  const [from, to] = [join(directory.path, 'plain'), join(directory.path, 'compressed')]
  await writeFile(from, plain)
  const child = start(format, openSync(from, 'r'), openSync(to, 'w'), prefix)
  const [output, message, [code]] = await Promise.all([
    text(child.stdout as never),
    text(child.stderr as never),
    once(child, 'close'),
  ])
  return { code, output, message, bytes: await readFile(to) }
}

function start(format: string, from: number, to: number, prefix: readonly string[] = []): ChildProcess {
  const [command = '', ...args] = [...prefix, tool, `--${format}`]
  const child = spawn(command, args, { stdio: [from, 'pipe', 'pipe', 'ignore', to] })
  closeSync(from)
  closeSync(to)
  return child
}

const words = Buffer.alloc(9 << 20, 'some words that repeat, and then ')
const sizes = [0, 1, 100, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20, (4 << 20) + 7, 9 << 20]

test.each(formats.flatMap((format) => sizes.map((size) => [format, size] as const)))(
  '%s of %i bytes is read back by others, and its digest is told',
  async (format, size) => {
    const plain = Buffer.concat([words.subarray(0, size >> 1), randomBytes(size - (size >> 1))])
    const { code, output, bytes } = await compress(format, plain)
    expect(code).toBe(0)
    expect(decompress[format](bytes).equals(plain)).toBe(true)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    expect(JSON.parse(output)).toEqual({ digest, size: bytes.length })
  },
)

test.each(formats)('%s gives the same bytes on one processor and on all', async (format) => {
  const all = await compress(format, words)
  const one = await compress(format, words, ['taskset', '-c', '0'])
  expect(one.bytes.equals(all.bytes)).toBe(true)
  expect(all.bytes.length).toBeLessThan(words.length / 50)
})

test('a full disk is told as one', async () => {
  await using directory = await tempDirectory()
  const from = join(directory.path, 'plain')
  await writeFile(from, words)
  const child = start('gzip', openSync(from, 'r'), openSync('/dev/full', 'w'))
  const [message, [code]] = await Promise.all([text(child.stderr as never), once(child, 'close')])
  expect([code, message]).toEqual([3, 'write the compressed bytes: No space left on device\n'])
})

test('the children have no rights and no files but two pipes, and go with their parent', async () => {
  const child = spawn(tool, ['--gzip'], { stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'pipe'] })
  const children = await waitFor('two compressors', () => {
    const found = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
    const confined = found.filter(
      (pid) => pid !== '' && /^Seccomp:\t2$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
    )
    return found.length >= 2 && confined.length === found.length ? found : undefined
  })
  for (const pid of children) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    expect(status).toMatch(/^CapEff:\t0+$/m)
    expect(status).toMatch(/^CapBnd:\t0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
  }
  child.kill('SIGTERM')
  const [code] = await once(child, 'close')
  expect(code).toBe(4)
  for (const pid of children) expect(() => readFileSync(`/proc/${pid}/stat`)).toThrow()
})

test('a compressor that is killed fails the whole', async () => {
  const child = spawn(tool, ['--gzip'], { stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'pipe'] })
  const [first = ''] = await waitFor('compressors', () => {
    const found = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
    return found.length >= 2 && found
  })
  process.kill(Number(first), 'SIGKILL')
  child.stdio[4]?.on('data', () => undefined)
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(words)
  const [message, [code]] = await Promise.all([text(child.stderr as never), once(child, 'close')])
  expect(code).toBe(4)
  expect(message).toMatch(/a compressor (has ended|ended and said nothing)/)
})
