import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { packContext, unpackContext } from '#cli/contexts/archive.ts'
import { tarEnd, tarHeader, tarPadding } from '#cli/copy/tar-write.ts'

const context = { Name: 'a', Metadata: {}, Endpoints: { docker: { Host: 'unix:///x', SkipTLSVerify: false } } }

function archiveOf(files: Readonly<Record<string, string>>): Readable {
  const parts = Object.entries(files).flatMap(([name, text]) => {
    const size = Buffer.byteLength(text)
    const entry = { kind: 'file', name, mode: 0o600, uid: 0, gid: 0, size, mtime: 0, target: '' } as const
    return [tarHeader(entry), Buffer.from(text), tarPadding(size)]
  })
  return Readable.from([Buffer.concat([...parts, tarEnd])])
}

test('what is packed comes out again', async () => {
  const whole = { context, tls: { docker: { 'ca.pem': Buffer.from('ca'), 'key.pem': Buffer.from('key') } } }
  expect(await unpackContext(Readable.from([packContext(whole)]))).toEqual(whole)
})

test.each([
  ['../../etc/x', 'unexpected context file'],
  ['other.json', 'unexpected context file'],
  ['tls/../x', 'unexpected path format'],
  ['tls/docker/../../x', 'unexpected path format'],
  ['tls//x', 'unexpected path format'],
  ['tls/docker/a\\b', "unexpected '\\' in path"],
  ['tls/x', 'archive format is invalid'],
  ['tls/docker/a/b', 'archive format is invalid'],
])('an archive with %s is refused', async (name, message) => {
  const archive = archiveOf({ 'meta.json': JSON.stringify(context), [name]: 'x' })
  await expect(unpackContext(archive)).rejects.toThrow(message)
})

test.each([
  [archiveOf({ 'tls/docker/ca.pem': 'x' }), 'invalid context: no metadata found'],
  [archiveOf({ 'meta.json': '{' }), 'meta.json is not the description of a context'],
  [archiveOf({ 'meta.json': '{"Endpoints":{"docker":1}}' }), 'meta.json is not the description of a context'],
  [Readable.from([Buffer.from('PK\x03\x04')]), 'a zip file is not read yet'],
  [Readable.from(Array.from({ length: 11 }, () => Buffer.alloc(1 << 20, 1))), /limit|archive/],
])('an archive that is no context is refused', async (archive, message) => {
  await expect(unpackContext(archive)).rejects.toThrow(message)
})
