import { expect, test } from 'vitest'
import { endpointsOf, originsOf } from '#images/registry/endpoints.ts'
import { parseRegistryConfig, type RegistrySettings } from '#images/registry/registry-config.ts'
import { parseReference } from '#oci/reference.ts'

const bases = async (domain: string, insecure: string[] = [], mirrors: string[] = []) =>
  (await endpointsOf({ domain, path: 'library/x' }, parseRegistryConfig({ mirrors, insecure }))).map(
    ({ base, verifyTls }) => [base, verifyTls],
  )

/** Where the repository of a reference is asked for, in order. */
const placesOf = async (text: string, registries: RegistrySettings['registries'] = {}) => {
  const reference = parseReference(text)
  const endpoints = await endpointsOf(reference, parseRegistryConfig({ registries }))
  return endpoints.map(({ base, mirrorOf }) => `${base}/${mirrorOf?.prefix ?? ''}${reference.path}`)
}

test('a registry is asked by TLS only', async () => {
  expect(await bases('192.0.2.1:5000')).toEqual([['https://192.0.2.1:5000', true]])
})

test.each(['127.0.0.1:5000', '127.9.9.9', '[::1]:5000', 'localhost:5000'])(
  '%s is this machine: TLS without a known certificate, then plain HTTP',
  async (domain) => {
    expect(await bases(domain)).toEqual([
      [`https://${domain}`, false],
      [`http://${domain}`, false],
    ])
  },
)

test.each([
  ['192.0.2.1:5000', '192.0.2.1:5000'],
  ['192.0.2.1:5000', '192.0.2.0/24'],
  ['[2001:db8::5]:80', '2001:db8::/32'],
])('%s may be insecure when %s is listed', async (domain, insecure) => {
  expect(await bases(domain, [insecure])).toHaveLength(2)
})

test('another port of an insecure host is secure', async () => {
  expect(await bases('192.0.2.1:5001', ['192.0.2.1:5000'])).toHaveLength(1)
})

test('docker.io is asked last, after its mirrors in order', async () => {
  expect(await bases('docker.io', [], ['https://192.0.2.7/', 'http://127.0.0.1:5000'])).toEqual([
    ['https://192.0.2.7', true],
    ['http://127.0.0.1:5000', false],
    ['https://registry-1.docker.io', true],
  ])
})

test.each([
  ['busybox', 'library/busybox'],
  ['library/busybox', 'library/busybox'],
  ['me/app', 'me/app'],
  ['docker.io/busybox', 'library/busybox'],
  ['docker.io/library/busybox:1.37', 'library/busybox'],
  ['index.docker.io/busybox', 'library/busybox'],
  ['index.docker.io/me/app', 'me/app'],
  ['docker.io/a/b/c', 'a/b/c'],
])('%s is asked for at the hub as %s', async (name, path) => {
  expect(await placesOf(name)).toEqual([`https://registry-1.docker.io/${path}`])
})

test.each([
  ['registry-1.docker.io/library/busybox', 'https://registry-1.docker.io/library/busybox'],
  ['ghcr.io/org/app', 'https://ghcr.io/org/app'],
  ['192.0.2.1:5000/app', 'https://192.0.2.1:5000/app'],
  ['Upper/app', 'https://Upper/app'],
])('%s names a registry by itself', async (name, place) => {
  expect(await placesOf(name)).toEqual([place])
})

test('a prefix has mirrors of its own, asked in order before the registry, and the longest prefix counts', async () => {
  const registries = {
    'ghcr.io': { mirrors: ['https://192.0.2.7/ghcr/', 'https://192.0.2.8'] },
    'ghcr.io/org': { mirrors: ['https://192.0.2.9/a/b'] },
    'docker.io/library': { mirrors: ['https://192.0.2.10'] },
    'docker.io': { mirrors: ['https://192.0.2.11'] },
  }
  expect(await placesOf('ghcr.io/me/app', registries)).toEqual([
    'https://192.0.2.7/ghcr/me/app',
    'https://192.0.2.8/me/app',
    'https://ghcr.io/me/app',
  ])
  expect(await placesOf('ghcr.io/org/app', registries)).toEqual([
    'https://192.0.2.9/a/b/org/app',
    'https://ghcr.io/org/app',
  ])
  expect((await placesOf('ghcr.io/organ/app', registries))[0]).toBe('https://192.0.2.7/ghcr/organ/app')
  expect((await placesOf('busybox', registries))[0]).toBe('https://192.0.2.10/library/busybox')
  expect((await placesOf('me/app', registries))[0]).toBe('https://192.0.2.11/me/app')
  expect(await placesOf('quay.io/me/app', registries)).toEqual(['https://quay.io/me/app'])
})

test('a registry is made insecure by its own entry too', async () => {
  const config = parseRegistryConfig({ registries: { '192.0.2.1:5000': { insecure: true } } })
  expect(await originsOf('192.0.2.1:5000', config)).toEqual([
    { base: 'https://192.0.2.1:5000', verifyTls: false, isGuess: true },
    { base: 'http://192.0.2.1:5000', verifyTls: false, isGuess: false },
  ])
})

test.each<[RegistrySettings, string]>([
  [{ registries: { app: {} } }, 'registries: "app" is not valid'],
  [{ registries: { 'https://ghcr.io': {} } }, 'registries: "https://ghcr.io" is not valid'],
  [{ registries: { 'ghcr.io/': {} } }, 'registries: "ghcr.io/" is not valid'],
  [{ registries: { 'ghcr.io/app:v1': {} } }, 'registries: "ghcr.io/app:v1" is not valid'],
  [{ registries: { 'ghcr.io/org': { insecure: true } } }, 'ghcr.io/org cannot be insecure'],
  [{ registries: { 'ghcr.io': { mirrors: ['https://m/?a=b'] } } }, 'query, or fragment'],
  [
    { mirrors: ['https://a'], registries: { 'docker.io': { mirrors: ['https://b'] } } },
    'the mirrors of docker.io are given twice',
  ],
])('%j is refused', (settings, reason) => {
  expect(() => parseRegistryConfig(settings)).toThrow(expect.objectContaining({ kind: 'invalid' }))
  expect(() => parseRegistryConfig(settings)).toThrow(reason)
})

test.each([
  ['ftp://x', 'unsupported scheme "ftp"'],
  ['http://user:pass@x', 'username/password not allowed in URI "http://user:xxxxx@x/"'],
  ['ftp://user:pass@x', 'unsupported scheme "ftp" in "ftp://xxxxx:xxxxx@x"'],
  ['http://user:pass@', '"xxxxx:xxxxx@" is not a URL'],
  ['http://x/path', 'path, query, or fragment at end of the URI'],
  ['x', 'is not a URL'],
])('mirror %s is refused', (mirror, reason) => {
  expect(() => parseRegistryConfig({ mirrors: [mirror] })).toThrow(expect.objectContaining({ kind: 'invalid' }))
  expect(() => parseRegistryConfig({ mirrors: [mirror] })).toThrow(reason)
})

test.each(['http://x', '', '10.0.0.0/33', 'x/8'])('insecure registry "%s" is refused', (host) => {
  expect(() => parseRegistryConfig({ insecure: [host] })).toThrow(/insecure registry .*is not valid/)
})
