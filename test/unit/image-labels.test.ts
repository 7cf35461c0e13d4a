/** Labels come with images too: what one of them decides, whoever made the image decides (CVE-2026-53488, CVE-2026-53492). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
/** What `berth-runtime features` says of itself. */
const told = new Map([['runtime/command/features.c', 'io.berth.runtime.version']])
/** Reads labels of create requests, before the image's are merged in. @see test/integration/container/health-ports.test.ts */
const ofRequests = 'src/containers/health/requested.ts'

test('no label of our own name decides anything', () => {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', 'src', 'cli', 'images', 'runtime', 'shim']
  const sources = execFileSync('git', list, { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((path) => /\.(ts|c|h)$/.test(path) && path !== ofRequests)
  expect(sources.length).toBeGreaterThan(400)
  const named = sources.flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/io\.berth\.[\w.-]*/g)]
      .filter(([name]) => told.get(path) !== name)
      .map(([name]) => `${path}: ${name}`),
  )
  expect(named).toEqual([])
})
