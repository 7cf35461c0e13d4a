import { expect, test } from 'vitest'
import { checkProxies, proxiesOfEnvironment, proxyFor, withoutUser } from '#images/registry/proxies.ts'

const through = (target: string, none: string) =>
  proxyFor(target, { http: 'http://plain.lan:1', https: 'secure.lan:2', none })?.host

test('http and https have each their proxy', () => {
  expect(through('http://example.com/', '')).toBe('plain.lan:1')
  expect(through('https://example.com/', '')).toBe('secure.lan:2')
  expect(proxyFor('https://example.com/', { http: 'http://plain.lan', https: '', none: '' })).toBeUndefined()
})

// As golang.org/x/net/http/httpproxy decides.
test.each([
  ['example.com', 'https://example.com/', false],
  ['example.com', 'https://a.example.com/', false],
  ['example.com', 'https://EXAMPLE.com:444/', false],
  ['example.com', 'https://badexample.com/', true],
  ['.example.com', 'https://example.com/', true],
  ['.example.com', 'https://a.example.com/', false],
  ['*.example.com', 'https://example.com/', true],
  ['*.example.com', 'https://a.example.com/', false],
  ['example.com:444', 'https://example.com/', true],
  ['example.com:443', 'https://example.com/', false],
  ['example.com:80', 'http://example.com/', false],
  [' other , Example.COM ', 'https://example.com/', false],
  ['*', 'https://example.com/', false],
  ['*.com', 'https://example.com/', false],
  ['192.0.2.1', 'https://192.0.2.1:5000/', false],
  ['192.0.2.1:5000', 'https://192.0.2.1:5000/', false],
  ['192.0.2.1:5000', 'https://192.0.2.1/', true],
  ['192.0.2.0/24', 'https://192.0.2.200/', false],
  ['192.0.2.0/24', 'https://192.0.3.1/', true],
  ['192.0.2.0/24', 'https://example.com/', true],
  ['2001:db8::/32', 'https://[2001:db8::5]:5000/', false],
  ['2001:db8::5', 'https://[2001:db8::5]/', false],
  ['[2001:db8::5]:5000', 'https://[2001:db8::5]:5000/', false],
  ['[2001:db8::5]:5000', 'https://[2001:db8::5]/', true],
  [':443', 'https://example.com/', true],
  ['10.0.0.0/99', 'https://10.0.0.1/', true],
  [',,', 'https://example.com/', true],
])('without a proxy for "%s": %s goes through one: %s', (none, target, expected) => {
  expect(through(target, none) !== undefined).toBe(expected)
})

test.each(['http://localhost:5000/', 'http://127.0.0.1/', 'https://127.9.9.9/', 'https://[::1]:5000/'])(
  '%s is this machine, which no proxy leads to',
  (target) => {
    expect(through(target, '')).toBeUndefined()
  },
)

test('of the environment the names in capital letters count first', () => {
  expect(
    proxiesOfEnvironment({ HTTP_PROXY: 'a', http_proxy: 'b', https_proxy: 'c', NO_PROXY: '', no_proxy: 'd' }),
  ).toEqual({ http: 'a', https: 'c', none: 'd' })
  expect(proxiesOfEnvironment({})).toEqual({ http: '', https: '', none: '' })
})

test.each([
  ['http://me:secret@proxy.lan:3128/', 'http://xxxxx:xxxxx@proxy.lan:3128/'],
  ['http://me@proxy.lan', 'http://xxxxx:xxxxx@proxy.lan'],
  ['me:secret@proxy.lan:3128', 'xxxxx:xxxxx@proxy.lan:3128'],
  ['http://proxy.lan:3128', 'http://proxy.lan:3128'],
  ['proxy.lan:3128', 'proxy.lan:3128'],
  ['', ''],
])('%s is shown as %s', (proxy, shown) => {
  expect(withoutUser(proxy)).toBe(shown)
})

test.each(['socks5://me:secret@proxy.lan:1080', 'http://', 'http://me:secret@'])(
  '%s is refused without its password',
  (https) => {
    expect(() => checkProxies({ http: '', https, none: '' })).toThrow(expect.objectContaining({ kind: 'invalid' }))
    expect(() => checkProxies({ http: '', https, none: '' })).not.toThrow(/secret/)
  },
)
