/** Which engine a call is for: flags, environment, configuration, contexts on the disk. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { headersOf } from '#cli/config/headers.ts'
import { toContext } from '#cli/contexts/context.ts'
import { ContextStore } from '#cli/contexts/context-store.ts'
import { writeContext } from '#cli/contexts/write-context.ts'
import { tempDirectory } from '../../support/temp.ts'
import { contextsOf } from './memory-cli.ts'

const own = 'unix:///run/berth.sock'

test.each([
  [{}, 'default', own],
  [{ env: { DOCKER_HOST: 'tcp://h' } }, 'default', 'tcp://h:2375'],
  [{ env: { DOCKER_HOST: 'tcp://h', BERTH_HOST: '/a' } }, 'default', 'unix:///a'],
  [{ argv: ['-H', '/b'], env: { DOCKER_HOST: 'tcp://h' } }, 'default', 'unix:///b'],
  [{ env: { DOCKER_HOST: 'tcp://h', DOCKER_CONTEXT: 'far' } }, 'default', 'tcp://h:2375'],
  [{ env: { DOCKER_CONTEXT: 'far' } }, 'far', 'ssh://far'],
  [{ config: { currentContext: 'far' } }, 'far', 'ssh://far'],
  [{ config: { currentContext: 'far' }, env: { DOCKER_CONTEXT: 'default' } }, 'default', own],
  [{ argv: ['-c', 'far'], env: { DOCKER_HOST: 'tcp://h' } }, 'far', 'ssh://far'],
  [{ argv: ['--context', 'default'], config: { currentContext: 'far' } }, 'default', own],
])('%j is the context %s', async (situation, name, host) => {
  await using directory = await tempDirectory()
  await writeContext(
    new ContextStore(directory.path),
    toContext('far', { host: 'ssh://far', skipTlsVerify: false, tls: undefined }),
  )
  const contexts = contextsOf({ ...situation, directory: directory.path })
  expect({ name: contexts.current, host: contexts.engine().host }).toEqual({ name, host })
})

test('a context that is not there is told of with its file', async () => {
  await using directory = await tempDirectory()
  expect(() => contextsOf({ argv: ['-c', 'nosuch'], directory: directory.path }).engine()).toThrow(
    `context "nosuch": context not found: open ${directory.path}/contexts/meta/9e62f93eb7d2499903ac66232f187c56fc050eb74c765f90eb214360b21f0e96/meta.json: no such file or directory`,
  )
})

test('TLS takes its files from the flags, else from the directory of certificates', async () => {
  await using directory = await tempDirectory()
  for (const name of ['ca.pem', 'cert.pem', 'mine']) await writeFile(join(directory.path, name), name)
  const { path } = directory
  const engineOf = (argv: string[], env = {}) => contextsOf({ argv, env, directory: path }).engine()
  const texts = ({ tls, ...rest }: ReturnType<typeof engineOf>) => ({
    ...rest,
    ca: String(tls?.ca),
    cert: String(tls?.cert),
  })
  const both = { ca: 'ca.pem', cert: 'cert.pem' }
  const host = 'tcp://localhost:2376'
  expect(texts(engineOf(['--tls']))).toEqual({ host, skipTlsVerify: true, ...both })
  expect(texts(engineOf(['--tlsverify']))).toEqual({ host, skipTlsVerify: false, ...both })
  expect(texts(engineOf(['--tlsverify=false']))).toEqual({ host, skipTlsVerify: true, ...both })
  expect(texts(engineOf([], { DOCKER_TLS_VERIFY: '1' }))).toEqual({ host, skipTlsVerify: false, ...both })
  const named = ['--tlscacert', join(path, 'mine'), '-H', 'tcp://h']
  expect(texts(engineOf(named, { DOCKER_TLS: '1' }))).toMatchObject({ host: 'tcp://h:2375', ca: 'mine' })
  expect(engineOf(named).tls).toBeUndefined()
  expect(() => engineOf(['--tls'], { DOCKER_CERT_PATH: '/nowhere' })).toThrow(
    'open /nowhere/ca.pem: no such file or directory',
  )
})

test('headers come from the configuration, or from the variable in its place, and none of ours', () => {
  const config = { HttpHeaders: { 'X-A': 'b', 'User-Agent': 'me', 'X\nY': 'z' } }
  expect(headersOf(config)).toEqual({ 'X-A': 'b' })
  expect(headersOf(config, 'Q=1, R=a=b')).toEqual({ Q: '1', R: 'a=b' })
  expect(() => headersOf(config, 'q')).toThrow('missing "=" in key=value pair: \'q\'')
  expect(() => headersOf(config, '=q')).toThrow('empty key')
})
