import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../../..')

test('the table of the README names every field of a create request, each once', () => {
  const { components } = parse(readFileSync(join(root, 'src/contract/openapi.yaml'), 'utf8'), { merge: true })
  const { ContainerCreateRequest, HostConfigRequest } = components.schemas
  const described = [ContainerCreateRequest, HostConfigRequest].flatMap(({ properties }) => Object.keys(properties))
  const section = readFileSync(join(root, 'src/api/README.md'), 'utf8').split('## The fields of create')[1]
  const rows = (section?.split('\n## ')[0] ?? '').split('\n').filter((line) => /^\| [A-Z]/.test(line))
  const named = rows.flatMap((row) => (row.split('|')[1] ?? '').split(',').map((field) => field.trim()))
  expect(named.toSorted()).toEqual(described.toSorted())
})
