import { expect, test } from 'vitest'
import { Client } from '#cli/client/client.ts'
import { forEach } from '#cli/for-each.ts'
import { addressOf, memoryCli } from './memory-cli.ts'

const { cli, stdout } = memoryCli(new Client({ address: addressOf('unix:///nowhere'), program: 'berth' }))

test('all are tried, lines come in the order of the names, failures come last', async () => {
  const names = Array.from({ length: 40 }, (_, at) => `n${at}`)
  const slow = Promise.withResolvers<string>()
  const done = forEach(cli, names, async (name) => {
    if (name === 'n0') return await slow.promise
    if (name === 'n1') slow.resolve('n0')
    if (name === 'n7' || name === 'n30') throw new Error(`no ${name}`)
    return name === 'n9' ? undefined : name
  })
  await expect(done).rejects.toMatchObject({ status: 1, message: 'no n7\nno n30' })
  const expected = names.filter((name) => !['n7', 'n9', 'n30'].includes(name))
  expect(stdout().trimEnd().split('\n')).toEqual(expected)
})
