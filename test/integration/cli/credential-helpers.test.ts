import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { seedRegistry, startRegistry, type TestRegistry } from '#test/support/registry.ts'
import { berthCommand } from './client.ts'

let daemon: TestDaemon
let registry: TestRegistry
let asked: string

beforeAll(async () => {
  daemon = await startDaemon({ withImage: false })
  const storage = join(daemon.directory, 'storage')
  await seedRegistry(storage, { 'app:latest': buildImage() })
  registry = await startRegistry({ storage, basicAuth: true, enter: daemon.enter })
  asked = join(daemon.directory, 'asked')
  await writeHelper('right', 'secret')
  await writeHelper('wrong', 'guess')
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
})
beforeEach(() => writeFile(asked, ''))

/** A helper that has this password for every server, and writes down what it was asked for. */
async function writeHelper(name: string, password: string) {
  const path = join(daemon.directory, `docker-credential-${name}`)
  const lines = ['#!/bin/sh', 'read server', `echo "${name} $1 $server" >> ${asked}`]
  await writeFile(path, [...lines, `echo '{"Username":"user","Secret":"${password}"}'`, ''].join('\n'))
  await chmod(path, 0o755)
}

const auth = (password: string) => ({ auth: Buffer.from(`user:${password}`).toString('base64') })

/** Pulls with both clients, and gives what each said and asked. */
async function pull(config: object, name: string) {
  await writeFile(join(daemon.directory, 'config.json'), JSON.stringify(config))
  const results = []
  for (const program of [['docker'], berthCommand]) {
    await writeFile(asked, '')
    const path = `PATH=${daemon.directory}:${process.env.PATH}`
    const { code, stderr } = await daemon.run(['env', path, ...program, 'pull', '-q', name])
    results.push({ pulled: code === 0, stderr, asked: await readFile(asked, 'utf8') })
  }
  return results
}

test('the helper of a registry is asked before the one of all others', async () => {
  const { host } = registry
  const config = { credHelpers: { [host]: 'right' }, credsStore: 'wrong' }
  for (const result of await pull(config, `${host}/app`)) {
    expect(result).toEqual({ pulled: true, stderr: '', asked: `right get ${host}\n` })
  }
})

test('the helper of all others is asked for a registry that has none, and what it says counts', async () => {
  const { host } = registry
  const config = { credHelpers: { 'other.example': 'right' }, credsStore: 'wrong', auths: { [host]: auth('secret') } }
  for (const result of await pull(config, `${host}/app`)) {
    expect(result).toMatchObject({ pulled: false, asked: `wrong get ${host}\n` })
    expect(result.stderr).toContain('unauthorized: authentication required')
  }
})

test('docker.io is known to helpers by its old address', async () => {
  for (const result of await pull({ credsStore: 'right' }, 'me/app')) {
    expect(result).toMatchObject({ pulled: false, asked: 'right get https://index.docker.io/v1/\n' })
  }
})

test('config.json itself has the credentials where no helper is named, or where one is named empty', async () => {
  const { host } = registry
  const configs = [
    { auths: { [host]: auth('secret'), 'other.example': auth('guess') } },
    { auths: { [`http://${host}/v1/`]: auth('secret') } },
    { auths: { [host]: auth('secret') }, credsStore: 'wrong', credHelpers: { [host]: '' } },
  ]
  for (const config of configs) {
    for (const result of await pull(config, `${host}/app`)) {
      expect([config, result]).toEqual([config, { pulled: true, stderr: '', asked: '' }])
    }
  }
})
