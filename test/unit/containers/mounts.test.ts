import { expect, test } from 'vitest'
import { parseHostConfig } from '#api/parse/host-config.ts'
import { toBindMount, toPlainMount } from '#containers/mounts/plain-mount.ts'
import { mountsOf } from '#containers/spec/mounts.ts'

const sources = { idMapped: false, volume: () => '/v', image: () => ['/i'] }
const etc = { hostname: '/h/hostname', hosts: '/h/hosts', resolvConf: '/h/resolv.conf' }

test('a read-only bind makes read-only what comes along with it, and one that takes nothing along just itself', () => {
  const host = parseHostConfig({
    Binds: ['/a:/all:ro', '/a:/rw'],
    Mounts: [
      { Type: 'bind', Source: '/a', Target: '/single', ReadOnly: true, BindOptions: { NonRecursive: true } },
      { Type: 'bind', Source: '/a', Target: '/mount', ReadOnly: true },
    ],
  })
  const options = Object.fromEntries(
    mountsOf({ host, mounts: host.mounts.map(toPlainMount) }, etc, sources).map((mount) => [
      mount.destination,
      mount.options,
    ]),
  )
  expect(options).toMatchObject({
    '/all': ['rbind', 'rprivate', 'rro'],
    '/rw': ['rbind', 'rprivate', 'rw'],
    '/single': ['bind', 'rprivate', 'ro'],
    '/mount': ['rbind', 'rprivate', 'rro'],
  })
})

const [bind] = parseHostConfig({ Binds: ['/a:/x'] }).mounts
const at = (source: string, propagation: '' | 'rprivate' | 'rshared' = '') =>
  toBindMount({ ...(bind as NonNullable<typeof bind>), source, propagation }, '/var/lib/berth')

test.each(['/', '/var', '/var/lib/berth', '/var/lib/berth/volumes/x'])(
  'a bind of %s, which shows the data root, is a slave',
  (source) => {
    expect(at(source)).toMatchObject({ propagation: 'rslave', propagationIsDefault: true })
    expect(at(source, 'rshared')).toMatchObject({ propagation: 'rshared' })
    expect(at(source, 'rshared')).not.toHaveProperty('propagationIsDefault')
    expect(() => at(source, 'rprivate')).toThrow('must use either propagation mode "rslave" or "rshared"')
  },
)

test.each(['/srv', '/var/lib/berth2', '/var/lib/b'])(
  'a bind of %s, beside the data root, is what was asked for',
  (source) => {
    expect(at(source)).toMatchObject({ propagation: '' })
    expect(at(source, 'rprivate')).toMatchObject({ propagation: 'rprivate' })
  },
)
