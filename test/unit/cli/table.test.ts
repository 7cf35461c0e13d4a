import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { psCommand } from '#cli/commands/container/ps.ts'
import { historyCommand } from '#cli/commands/image/history.ts'
import { imagesCommand } from '#cli/commands/image/images.ts'
import { quote } from '#cli/output/human.ts'
import { toImageRows } from '#cli/output/image-columns.ts'
import { formatPorts } from '#cli/output/ports.ts'
import { formatColumns } from '#cli/output/table.ts'
import { parseArguments } from '#cli/parsing/parse.ts'
import type { ContainerSummary, ImageSummary } from '#contract/types.gen.ts'
import { memoryCli } from './memory-cli.ts'
import { serveRecorded } from './recorded-server.ts'

const golden = join(import.meta.dirname, '../../golden/cli')
const commands = { ps: psCommand, images: imagesCommand, history: historyCommand }

/** Command lines and what docker 28 prints for the lists beside this file. */
const cases = readFileSync(join(golden, 'tables.golden'), 'utf8')
  .split(/^\$ /m)
  .slice(1)
  .map((part) => {
    const newline = part.indexOf('\n')
    return { line: part.slice(0, newline), printed: part.slice(newline + 1).replace(/\n\n$/, '\n') }
  })

test('a table shows control characters of an image, and does not send them to the terminal', () => {
  const cells = ['RUN \x1b]0;title\x07', 'a\u009b2J', 'two\nlines']
  expect(formatColumns([cells], 1)).toBe('RUN \ufffd]0;title\ufffd   a\ufffd2J   two\nlines\n')
})

test.each(cases)('prints as docker: $line', async ({ line, printed }) => {
  const [name = '', ...words] = [...line.matchAll(/'([^']*)'|[^\s']+/g)].map(([word, quoted]) => quoted ?? word)
  const command = commands[name as keyof typeof commands]
  const lists = { ps: 'containers', images: 'images', history: 'history' }
  const body = JSON.stringify(readList(lists[name as keyof typeof lists]))
  await using server = await serveRecorded((socket) => {
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  })
  const { cli, stdout } = memoryCli(server.client)
  expect(await command.run(cli, parseArguments(command.flags, words, { interspersed: true }))).toBe(0)
  expect(stdout()).toBe(printed)
})

/** The list as an engine would send it now: ages become times. */
function readList(name: string): unknown[] {
  const items = JSON.parse(readFileSync(join(golden, `${name}.json`), 'utf8')) as { ageSeconds: number }[]
  const now = Math.trunc(Date.now() / 1000)
  return items.map(({ ageSeconds, ...item }) => ({ ...item, Created: now - ageSeconds }))
}

test('an image has a row for each of its names, in the order of the engine', () => {
  const image = {
    RepoTags: ['b:1', 'a:2', 'b:3'],
    RepoDigests: ['a@sha256:1', 'c@sha256:2'],
  } as unknown as ImageSummary
  const rows = toImageRows([image], true).map(({ repository, tag, digest }) => `${repository}:${tag}@${digest}`)
  expect(rows).toEqual(['b:1@<none>', 'b:3@<none>', 'a:2@sha256:1', 'c:<none>@sha256:2'])
})

test('lists that are null are empty', async () => {
  const container = {
    Id: 'a',
    Names: ['/x'],
    Image: 'i',
    ImageID: 'j',
    Command: '',
    Created: 0,
    Ports: null,
    Labels: null,
  }
  const body = JSON.stringify([container satisfies Partial<Record<keyof ContainerSummary, unknown>>])
  await using server = await serveRecorded((socket) => {
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  })
  const { cli, stdout } = memoryCli(server.client)
  const format = ['--format', '{{.Ports}}|{{.Labels}}|{{.Label "a"}}|{{.Mounts}}|{{.Networks}}']
  await psCommand.run(cli, parseArguments(psCommand.flags, format, { interspersed: true }))
  expect(stdout()).toBe('||||\n')
})

test('neighbouring ports become ranges, others do not', () => {
  const port = (PrivatePort: number, PublicPort?: number, IP?: string) => ({
    PrivatePort,
    Type: 'tcp',
    ...(PublicPort !== undefined && { PublicPort }),
    ...(IP !== undefined && { IP }),
  })
  expect(formatPorts([port(82), port(80), port(81), port(90)])).toBe('80-82/tcp, 90/tcp')
  expect(formatPorts([port(80, 80, '0.0.0.0'), port(81, 81, '0.0.0.0')])).toBe('0.0.0.0:80-81->80-81/tcp')
})

test('a command that holds escape sequences is shown, not obeyed', () => {
  expect(quote('a"\\\n\x1b[2J\u202e é')).toBe('"a\\"\\\\\\n\\x1b[2J\\u202e é"')
})
