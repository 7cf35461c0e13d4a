import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeContainerCreateRequest, decodeExecStartRequest } from '#contract/validate.gen.ts'

const root = join(import.meta.dirname, '../../..')

test('the generated files are those of openapi.yaml', () => {
  expect(() => execFileSync(process.execPath, ['src/contract/generate.ts', '--check'], { cwd: root })).not.toThrow()
})

test('known fields are copied, unknown ones and nulls left out', () => {
  const value = JSON.parse('{"Image":"bb","Nope":1,"Tty":null,"HostConfig":{"Memory":6,"Later":[]}}') as unknown
  expect(decodeContainerCreateRequest(value)).toEqual({ Image: 'bb', HostConfig: { Memory: 6 } })
  expect(decodeContainerCreateRequest(null)).toEqual({})
})

test('names of fields may be written in any case, as Go reads them', () => {
  expect(decodeExecStartRequest({ detach: true, TTY: true })).toEqual({ Detach: true, Tty: true })
})

test('one word counts as a list of one where Docker allows it', () => {
  expect(decodeContainerCreateRequest({ Cmd: 'top', Entrypoint: ['a', 'b'] })).toEqual({
    Cmd: ['top'],
    Entrypoint: ['a', 'b'],
  })
})

test('keys of maps are data, whatever they are called', () => {
  const labels = decodeContainerCreateRequest(JSON.parse('{"Labels":{"__proto__":"x","constructor":"y"}}')).Labels ?? {}
  expect(Object.entries(labels)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
})

const field = 'invalid JSON: json: cannot unmarshal'
test.each([
  ['{"Tty":"x"}', `${field} string into Go struct field CreateRequest.Tty of type bool`],
  ['{"Image":5}', `${field} number into Go struct field CreateRequest.Image of type string`],
  ['{"Env":"x"}', `${field} string into Go struct field CreateRequest.Env of type []string`],
  ['{"Cmd":5}', `${field} number into Go value of type string`],
  ['{"Cmd":[5]}', `${field} array into Go value of type string`],
  ['{"Labels":{"a":5}}', `${field} number into Go struct field CreateRequest.Labels of type string`],
  ['{"HostConfig":5}', `${field} number into Go struct field CreateRequest.HostConfig of type container.HostConfig`],
  ['{"HostConfig":{"Memory":"x"}}', `${field} string into Go struct field HostConfig.HostConfig.Memory of type int64`],
  [
    '{"HostConfig":{"Memory":1.5}}',
    `${field} number 1.5 into Go struct field HostConfig.HostConfig.Memory of type int64`,
  ],
  [
    '{"HostConfig":{"BlkioWeight":70000}}',
    `${field} number 70000 into Go struct field HostConfig.HostConfig.BlkioWeight of type uint16`,
  ],
  [
    '{"HostConfig":{"RestartPolicy":{"Name":true}}}',
    `${field} bool into Go struct field RestartPolicy.HostConfig.RestartPolicy.Name of type container.RestartPolicyMode`,
  ],
  ['[]', `${field} array into Go value of type container.CreateRequest`],
  ['"x"', `${field} string into Go value of type container.CreateRequest`],
])('%s is refused in the words of Go', (text, message) => {
  expect(() => decodeContainerCreateRequest(JSON.parse(text))).toThrow(
    expect.objectContaining({ kind: 'invalid', message }),
  )
})
