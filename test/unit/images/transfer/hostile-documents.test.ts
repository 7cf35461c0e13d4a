import { expect, test } from 'vitest'
import { BerthError } from '#base/errors.ts'
import { chooseManifest } from '#images/transfer/choose-manifest.ts'
import { parseImageConfig } from '#oci/image-config.ts'
import { parseManifest } from '#oci/manifest.ts'
import { mediaTypes } from '#oci/media-types.ts'
import { hostPlatform } from '#oci/platform.ts'
import { buildImage, buildIndex } from '#test/support/base-image.ts'

/** A small generator with a seed: a failure names the round, and the round repeats it. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) >>> 0
    return state % below
  }
}

const odd: readonly unknown[] = [
  ...[
    null,
    true,
    -1,
    0.5,
    1e300,
    2 ** 53,
    '',
    'x',
    '\u0000',
    '../../etc/passwd',
    'sha256:',
    `sha256:${'g'.repeat(64)}`,
  ],
  ...[[], {}, [[]], { __proto__: 1 }, Array(2000).fill(0), { length: -1 }, 'a'.repeat(100_000)],
]

/** The document with a few values replaced, removed or doubled. */
function mutate(value: unknown, random: (below: number) => number): unknown {
  if (random(12) === 0) return odd[random(odd.length)]
  if (Array.isArray(value)) {
    const changed = value.map((one) => mutate(one, random))
    return random(10) === 0 ? [...changed, ...changed] : changed
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(() => random(15) !== 0)
  return Object.fromEntries(entries.map(([key, one]) => [random(25) === 0 ? '__proto__' : key, mutate(one, random)]))
}

const layer = Buffer.alloc(512)
const image = buildImage({
  layers: [layer],
  config: { Env: ['A=b'], Labels: { a: 'b' }, ExposedPorts: { '80/tcp': {} } },
})
const index = buildIndex([image])
const documents: [string, Buffer, (text: string) => unknown][] = [
  ['manifest', image.root.bytes, (text) => parseManifest(text, { mediaType: mediaTypes.ociManifest, what: 'it' })],
  ['config', image.blobs[0]?.bytes ?? Buffer.alloc(0), (text) => parseImageConfig(text, 'it')],
  [
    'index',
    index.root.bytes,
    (text) => {
      const parsed = parseManifest(text, { mediaType: mediaTypes.ociIndex, what: 'it' })
      return parsed.kind === 'index' ? chooseManifest(parsed, hostPlatform) : parsed
    },
  ],
]

test.each(documents)('a %s that somebody has tampered with is read or refused, never a crash', (_, bytes, read) => {
  const original: unknown = JSON.parse(bytes.toString('utf8'))
  const ends = { read: 0, refused: 0 }
  for (let round = 0; round < 2000; round += 1) {
    const text = JSON.stringify(mutate(original, randomFrom(round))) ?? ''
    try {
      read(text)
      ends.read += 1
    } catch (error) {
      if (!(error instanceof BerthError)) throw new Error(`round ${round}: ${text.slice(0, 2000)}`, { cause: error })
      expect(error.message.length).toBeLessThan(5000)
      ends.refused += 1
    }
  }
  expect(ends.read).toBeGreaterThan(20)
  expect(ends.refused).toBeGreaterThan(200)
})

test.each(documents)('a %s whose bytes are damaged is read or refused, never a crash', (_, bytes, read) => {
  for (let round = 0; round < 2000; round += 1) {
    const random = randomFrom(round)
    const damaged = Buffer.from(bytes)
    for (let change = 0; change <= random(4); change += 1) damaged[random(damaged.length)] = random(256)
    const text = damaged.subarray(0, damaged.length - random(3) * random(50)).toString('utf8')
    try {
      read(text)
    } catch (error) {
      if (!(error instanceof BerthError)) throw new Error(`round ${round}: ${text}`, { cause: error })
    }
  }
})
