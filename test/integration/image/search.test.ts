import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { type IndexServer, startIndexServer } from '#test/support/index-server.ts'
import { startRegistry } from '#test/support/registry.ts'
import { problemsOf } from '../../conformance/engine-api/schema.ts'
import { berthFor } from '../cli/client.ts'

const found = [
  { name: 'a/app', description: 'first', star_count: 5, is_official: true, is_automated: true, is_trusted: true },
  { name: 'b', description: `second\n${'long '.repeat(20)}`, star_count: 100, is_official: false },
]

let daemon: TestDaemon
let index: IndexServer
beforeAll(async () => {
  daemon = await startDaemon({ withImage: false })
  index = await startIndexServer({ enter: daemon.enter, results: found })
})
afterAll(async () => {
  await index[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
})

const search = async (query: string) => {
  const { status, body } = await daemon.request('GET', `/images/search?${query}`)
  return { status, answer: JSON.parse(body) }
}
const filter = (filters: object) => `&filters=${encodeURIComponent(JSON.stringify(filters))}`

test('the index of the registry that the term names is searched', async () => {
  const { status, answer } = await search(`term=${index.host}/a%20b&limit=7`)
  expect(status).toBe(200)
  expect(answer).toEqual([
    { star_count: 5, is_official: true, name: 'a/app', is_automated: false, description: 'first' },
    { star_count: 100, is_official: false, name: 'b', is_automated: false, description: found[1]?.description },
  ])
  expect(problemsOf('GET /images/search', 200, answer)).toEqual([])
  expect(index.searches.at(-1)).toBe('?q=a+b&n=7')
})

test.each([
  [{ stars: ['10'] }, ['b']],
  [{ stars: ['1', '10'] }, ['b']],
  [{ 'is-official': ['true'] }, ['a/app']],
  [{ 'is-official': ['false'] }, ['b']],
  [{ 'is-automated': ['true'] }, []],
  [{ 'is-automated': ['false'] }, ['a/app', 'b']],
])('%j leaves %j', async (filters, names) => {
  const { answer } = await search(`term=${index.host}/x${filter(filters)}`)
  expect(answer.map(({ name }: { name: string }) => name)).toEqual(names)
})

test.each([
  ['&limit=101', 'limit 101 is outside the range of [1, 100]'],
  ['&limit=x', 'invalid limit specified: strconv.Atoi: parsing "x": invalid syntax'],
  [filter({ nosuch: ['1'] }), "invalid filter 'nosuch'"],
  [filter({ stars: ['x'] }), `invalid filter 'stars=x': strconv.Atoi: parsing "x": invalid syntax`],
  [filter({ 'is-official': ['x'] }), "invalid filter 'is-official=[x]'"],
])('%s is refused in the words of dockerd', async (query, message) => {
  expect(await search(`term=${index.host}/x${query}`)).toEqual({ status: 400, answer: { message } })
})

test('a term with a scheme is refused', async () => {
  const { status, answer } = await search('term=https://registry.example/app')
  expect(status).toBe(400)
  expect(answer.message).toBe(
    'invalid repository name: repository name (https://registry.example/app) should not have a scheme',
  )
})

test('a registry without an index, or with another answer, is told so', async () => {
  await using registry = await startRegistry({ enter: daemon.enter })
  const none = await search(`term=${registry.host}/app`)
  expect(none.status).toBe(500)
  expect(none.answer.message).toMatch(/^Unexpected status code 404: 127\.0\.0\.1:\d+ has no search/)
  const garbage = await search(`term=${index.host}/garbage`)
  expect(garbage.status).toBe(500)
  expect(garbage.answer.message).toMatch(/^error decoding registry search results: /)
  const hub = await search('term=busybox')
  expect(hub.answer.message).toContain('https://index.docker.io/v1/search')
})

test('both clients show the same, and a password is not sent to an index without TLS', async () => {
  const auth = Buffer.from('user:secret').toString('base64')
  await writeFile(join(daemon.directory, 'config.json'), JSON.stringify({ auths: { [index.host]: { auth } } }))
  const berth = berthFor(daemon)
  const term = `${index.host}/app`
  const lines = [
    ['search', term],
    ['search', '--no-trunc', '--limit', '3', '--filter', 'stars=3', term],
    ['search', '--format', '{{json .}}', term],
    ['search', '--format', 'table {{.Name}}\\t{{.IsOfficial}}\\t{{.StarCount}}', term],
  ]
  for (const line of lines) {
    const shown = await berth(...line)
    expect(shown.stdout).toContain('a/app')
    expect(shown, line.join(' ')).toEqual(await daemon.docker(...line))
  }
  expect(index.searches.join('\n')).not.toContain(auth)
})
