/** SHA-256 of our own, by the processor's instructions and without them. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-sha256-'))
})

afterAll(() => rmSync(directory, { recursive: true }))

describe.each([
  ['of this processor', []],
  ['in portable code', ['-DSHA256_PORTABLE']],
])('two hashes of one stream, %s,', (_, flags) => {
  let program: string

  beforeAll(() => {
    program = join(directory, `both${flags.length}`)
    const sources = ['test/native/unpack/sha256_both.c', 'images/unpack/sha256.c']
    const options = ['-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined', ...flags]
    execFileSync('gcc', [...options, '-iquote', 'images/unpack', '-o', program, ...sources], { cwd: root })
  })

  const input = Buffer.from(Array.from({ length: 1000 }, (_item, index) => (index * index) >>> 3))
  const digest = (before: number) => createHash('sha256').update(input.subarray(0, before)).update(input).digest('hex')

  test.each([
    [0, 0, 1000],
    [0, 0, 1],
    [0, 0, 63],
    [0, 0, 65],
    [64, 0, 128],
    [512, 64, 77],
    [5, 5, 64],
    [63, 127, 33],
    [5, 6, 200],
    [0, 1, 64],
  ])('after %i and %i bytes of their own, %i at a time, are what each is alone', (one, other, piece) => {
    const output = execFileSync(program, [`${one}`, `${other}`, `${piece}`], { input, encoding: 'utf8' })
    expect(output.trim().split('\n')).toEqual([digest(one), digest(other)])
  })
})
