import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempDirectory } from '#test/support/temp.ts'
import { findPlugin, listPlugins } from '#volumes/plugins/discovery.ts'

test('plugins are found by socket, then by the address that a file gives', async () => {
  await using directory = await tempDirectory()
  const [sockets, etc, usr] = ['run', 'etc', 'usr'].map((name) => join(directory.path, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [join(sockets, 'nested'), etc, usr]) await mkdir(path, { recursive: true })
  const directories = { sockets, specs: [etc, usr] }
  await using server = createServer().listen(join(sockets, 'nested/nested.sock'))
  await once(server, 'listening')
  await writeFile(join(sockets, 'false.sock'), 'no socket')
  await writeFile(join(etc, 'by-spec.spec'), 'tcp://127.0.0.1:9000\n')
  await writeFile(join(usr, 'by-spec.spec'), 'tcp://127.0.0.1:9001\n')
  await writeFile(
    join(usr, 'by-json.json'),
    '{"Name":"x","Addr":"https://host:1","TLSConfig":{"CAFile":"/ca","InsecureSkipVerify":true}}',
  )
  await writeFile(join(usr, 'wrong.spec'), 'ftp://host')
  await writeFile(join(usr, 'broken.json'), '{')

  const urlOf = async (name: string) => (await findPlugin(directories, name))?.url.href
  expect(await urlOf('nested')).toBe(`unix://${sockets}/nested/nested.sock`)
  expect(await urlOf('false')).toBeUndefined()
  expect(await urlOf('by-spec')).toBe('tcp://127.0.0.1:9000')
  expect((await findPlugin(directories, 'by-json'))?.tls).toEqual({ insecure: true, ca: '/ca', cert: '', key: '' })
  await expect(findPlugin(directories, 'wrong')).rejects.toThrow(/names no address/)
  await expect(findPlugin(directories, 'broken')).rejects.toThrow(/is not a JSON object/)
  for (const name of ['../etc/by-spec', '', '.', 'nested/nested']) expect(await urlOf(name)).toBeUndefined()
  expect(await listPlugins(directories)).toEqual(['broken', 'by-json', 'by-spec', 'false', 'nested', 'wrong'])
  expect(await listPlugins({ sockets: '/no/such', specs: ['/neither'] })).toEqual([])
})
