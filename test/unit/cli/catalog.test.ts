import { expect, test } from 'vitest'
import { catalog, findEntry, groups } from '#cli/catalog.ts'
import { formatCommandHelp } from '#cli/parsing/help.ts'

test.each(catalog.map((entry) => [entry.spellings.at(-1) ?? '', entry] as const))(
  '%s loads, says the same of itself as its entry, and has readable help',
  async (name, { load, summary, spellings }) => {
    const command = await load()
    expect(command.summary).toBe(summary)
    const help = formatCommandHelp('berth', `berth ${name}`, command, spellings)
    expect(help.split('\n')[0]).toBe(`Usage:  berth ${name} ${command.usage}`.trimEnd())
    const options = help.split('Options:\n')[1] ?? ''
    expect(options.split('\n').filter((line) => line.length >= 80)).toEqual([])
  },
)

test('no spelling means two commands, and no flag has two meanings', async () => {
  const spellings = catalog.flatMap((entry) => entry.spellings)
  expect(new Set(spellings).size).toBe(spellings.length)
  for (const { load } of catalog) {
    const flags = Object.values((await load()).flags)
    const names = flags.flatMap(({ name, short }) => (short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`]))
    expect(new Set(names).size).toBe(names.length)
  }
})

test('both spellings find the command', () => {
  expect(findEntry(['container', 'ls', '-a'])).toMatchObject({ used: 2 })
  expect(findEntry(['ps', '-a'])?.entry).toBe(findEntry(['container', 'ls'])?.entry)
  expect(findEntry(['container', 'nope'])).toBeUndefined()
  expect(findEntry(['constructor'])).toBeUndefined()
  expect(Object.keys(groups)).toEqual(['completion', 'container', 'context', 'image', 'network', 'system', 'volume'])
})
