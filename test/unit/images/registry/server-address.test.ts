import { expect, test } from 'vitest'
import { hostOfServer } from '#images/registry/server-address.ts'

test.each([
  ['', ''],
  ['registry.lan:5000', 'registry.lan:5000'],
  ['https://index.docker.io/v1/', 'index.docker.io'],
  ['http://[::1]:5000/v2', '[::1]:5000'],
  ['a:5000/x?y#z', 'a:5000'],
])('the host of %j is %j', (server, host) => {
  expect(hostOfServer(server)).toBe(host)
})

test.each([
  ['a b', `unable to parse server address: parse "https://a b": invalid character " " in host name`],
  ['https://[', `unable to parse server address: parse "https://[": missing ']' in host`],
  ['https://a:b', `unable to parse server address: parse "https://a:b": invalid port ":b" after host`],
  ['http://a/%zz', `unable to parse server address: parse "http://a/%zz": invalid URL escape "%zz"`],
  ['a%zz', `unable to parse server address: parse "https://a%zz": invalid URL escape "%zz"`],
  ['a\x01', `unable to parse server address: parse "https://a\\x01": net/url: invalid control character in URL`],
  ['https://a:99999', 'Get "https://a:99999/v2/": dial tcp: address 99999: invalid port'],
])('%j is refused in the words of Go', (server, message) => {
  expect(() => hostOfServer(server)).toThrow(expect.objectContaining({ kind: 'invalid', message }))
})

test.each(['://', 'https://', ':', '[]', '\ud800', 'a]', '%00', '#', '?'])('%j is refused, or has a host', (server) => {
  let host: string
  try {
    host = hostOfServer(server)
  } catch (error) {
    expect(error).toMatchObject({ kind: 'invalid' })
    return
  }
  expect(URL.canParse(`https://${host}`)).toBe(true)
})
