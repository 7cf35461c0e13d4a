import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { networkAccess, refuseUndecided } from '#daemon/tls.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { makeCertificate } from '#test/support/tls.ts'

const unset = { tls: undefined, tlsVerify: undefined, tlsCaCert: undefined, tlsCert: undefined, tlsKey: undefined }

test('the network is served only to clients with certificates, or as somebody has said', async () => {
  await using directory = await tempDirectory('berth-tls-')
  const { certFile, keyFile } = await makeCertificate(directory.path)
  const files = { tlsCert: certFile, tlsKey: keyFile, tlsCaCert: certFile }
  const kindOf = (settings: object) => networkAccess({ ...unset, ...settings }).kind
  expect(kindOf({})).toBe('undecided')
  expect(kindOf({ tls: true, ...files })).toBe('undecided')
  expect(kindOf({ tls: false })).toBe('plain')
  expect(kindOf({ tlsVerify: false, ...files })).toBe('encrypted')
  expect(kindOf({ tlsVerify: true, ...files })).toBe('verified')
  // Verification asked for wins over what is said of TLS, as with dockerd.
  expect(kindOf({ tls: false, tlsVerify: true, ...files })).toBe('verified')
  expect(() => refuseUndecided({ kind: 'undecided' }, 'tcp://:1')).toThrow(/^tcp:\/\/:1 is refused/)
})

test('certificates that cannot be used are refused before anybody is served', async () => {
  await using directory = await tempDirectory('berth-tls-')
  const { certFile, keyFile } = await makeCertificate(directory.path)
  const empty = join(directory.path, 'empty.pem')
  await writeFile(empty, '')
  const open = (settings: object) => () =>
    networkAccess({ tls: true, tlsVerify: true, tlsCaCert: certFile, tlsCert: certFile, tlsKey: keyFile, ...settings })
  expect(open({ tlsCaCert: undefined })).toThrow('invalid TLS configuration: give --tlscacert')
  expect(open({ tlsKey: '/no/such' })).toThrow(/invalid TLS configuration: --tlskey: ENOENT/)
  expect(open({ tlsCert: empty })).toThrow(/invalid TLS configuration/)
  expect(open({ tlsCaCert: empty })).toThrow(/invalid TLS configuration/)
  expect(open({ tlsKey: certFile })).toThrow(/invalid TLS configuration/)
})
