import { expect, test } from 'vitest'
import { endpointsOf, parseRegistryConfig } from '#images/registry/endpoints.ts'

const bases = async (domain: string, insecure: string[] = [], mirrors: string[] = []) =>
  (await endpointsOf(domain, parseRegistryConfig(mirrors, insecure))).map(({ base, verifyTls }) => [base, verifyTls])

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
  ['ftp://x', 'unsupported scheme "ftp"'],
  ['http://user:pass@x', 'username/password not allowed in URI "http://user:xxxxx@x/"'],
  ['http://x/path', 'path, query, or fragment at end of the URI'],
  ['x', 'is not a URL'],
])('mirror %s is refused', (mirror, reason) => {
  expect(() => parseRegistryConfig([mirror], [])).toThrow(expect.objectContaining({ kind: 'invalid' }))
  expect(() => parseRegistryConfig([mirror], [])).toThrow(reason)
})

test.each(['http://x', '', '10.0.0.0/33', 'x/8'])('insecure registry "%s" is refused', (host) => {
  expect(() => parseRegistryConfig([], [host])).toThrow(/insecure registry .*is not valid/)
})
