import { expect, test } from 'vitest'
import { parseHostConfig } from '#api/parse/host-config.ts'
import { toPlainMount } from '#containers/mounts/plain-mount.ts'
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
