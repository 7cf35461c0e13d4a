import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { readConfigFile } from '#cli/config/config-file.ts'
import { encodeAuth, findAuth } from '#cli/config/credential-helper.ts'
import { withProxies } from '#cli/config/proxies.ts'
import { tempDirectory } from '#test/support/temp.ts'

const auth = Buffer.from('me:a:b').toString('base64')

test('a configuration that is not there is empty, one that is broken is named', async () => {
  await using directory = await tempDirectory()
  expect(readConfigFile(directory.path)).toEqual({})
  await writeFile(join(directory.path, 'config.json'), '{"auths":')
  expect(() => readConfigFile(directory.path)).toThrow(
    `cannot read the client configuration ${directory.path}/config.json`,
  )
})

test.each([
  ['registry.example:5000', { 'https://registry.example:5000/v2/': { auth } }, 'https://registry.example:5000/v2/'],
  ['registry.example', { 'registry.example': { auth } }, 'registry.example'],
  ['docker.io', { 'https://index.docker.io/v1/': { auth } }, 'https://index.docker.io/v1/'],
])('credentials of %s are found however the host is written', async (domain, auths, serveraddress) => {
  expect(await findAuth({ auths }, domain)).toEqual({ username: 'me', password: 'a:b', serveraddress })
})

test('another host gets nothing', async () => {
  expect(await findAuth({ auths: { 'registry.example': { auth } } }, 'registry.example.evil')).toBeUndefined()
  expect(await findAuth({ auths: { 'registry.example': {} } }, 'registry.example')).toBeUndefined()
})

test('the header is JSON in URL-safe base64', () => {
  const encoded = encodeAuth({ username: '¿', password: '???>>>', serveraddress: 'x' })
  expect(encoded).toMatch(/^[\w-]+$/)
  expect(JSON.parse(Buffer.from(encoded, 'base64url').toString())).toMatchObject({ password: '???>>>' })
})

test('a credential helper is asked by its protocol', async () => {
  await using directory = await tempDirectory()
  const program = join(directory.path, 'docker-credential-test')
  await writeFile(
    program,
    `#!/bin/sh
read server
case $1:$server in
get:known.example) echo '{"ServerURL":"known.example","Username":"u","Secret":"s"}' ;;
get:token.example) echo '{"Username":"<token>","Secret":"t"}' ;;
get:empty.example) echo 'credentials not found in native keychain'; exit 1 ;;
*) echo 'the keychain is locked'; exit 1 ;;
esac
`,
  )
  await chmod(program, 0o755)
  vi.stubEnv('PATH', `${directory.path}:${process.env.PATH ?? ''}`)
  const config = { credsStore: 'test' }
  expect(await findAuth(config, 'known.example')).toEqual({
    username: 'u',
    password: 's',
    serveraddress: 'known.example',
  })
  expect(await findAuth(config, 'token.example')).toEqual({ identitytoken: 't', serveraddress: 'token.example' })
  expect(await findAuth(config, 'empty.example')).toBeUndefined()
  await expect(findAuth(config, 'locked.example')).rejects.toThrow('docker-credential-test: the keychain is locked')
  await expect(findAuth({ credsStore: 'missing' }, 'x')).rejects.toThrow(
    'cannot ask the credential helper docker-credential-missing',
  )
  vi.unstubAllEnvs()
})

test('proxies of the configuration reach the container in both cases, unless asked for otherwise', () => {
  const config = {
    proxies: {
      default: { httpProxy: 'http://p:1', noProxy: 'localhost' },
      'unix:///other.sock': { httpProxy: 'http://q:1' },
    },
  }
  expect(withProxies(['A=b', 'http_proxy=mine', 'NO_PROXY'], config, 'unix:///here.sock')).toEqual([
    'HTTP_PROXY=http://p:1',
    'no_proxy=localhost',
    'A=b',
    'http_proxy=mine',
    'NO_PROXY',
  ])
  expect(withProxies([], config, 'unix:///other.sock')).toEqual(['HTTP_PROXY=http://q:1', 'http_proxy=http://q:1'])
  expect(withProxies(['A=b'], {}, 'x')).toEqual(['A=b'])
})
