import { expect, test } from 'vitest'
import { checkLocalOptions, describe, toMountCall } from '#volumes/mount-options.ts'

test.each([
  [
    { type: 'none', device: '/a', o: 'bind' },
    { flags: 0x1000, data: '' },
  ],
  [
    { type: 'none', device: '/a', o: 'rbind,ro,nosuid' },
    { flags: 0x5003, data: '' },
  ],
  [
    { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,ro,rw,uid=5' },
    { flags: 0, data: 'size=1m,uid=5' },
  ],
  [
    { type: 'tmpfs', device: 'tmpfs' },
    { flags: 0, data: '' },
  ],
  [
    { type: 'nfs', device: ':/x', o: 'addr=127.0.0.1,nolock,soft' },
    { flags: 0, data: 'addr=127.0.0.1,nolock,soft' },
  ],
  [
    { type: 'nfs', device: ':/x', o: 'addr=localhost' },
    { flags: 0, data: expect.stringMatching(/^addr=(127\.|::1)/) as string },
  ],
])('%j is mounted with flags and data', async (options, expected) => {
  expect(await toMountCall(options)).toEqual({ source: options.device, type: options.type, ...expected })
})

test('a mount that failed is described as dockerd does, without what is secret', () => {
  const call = { source: '//host/share', type: 'cifs', flags: 1, data: 'addr=1.2.3.4,username=me,password=it,vers=3' }
  expect(describe(call, '/v/_data')).toBe(
    'mount //host/share:/v/_data, flags: 0x1, data: addr=1.2.3.4,username=********,password=********,vers=3',
  )
})

test.each([
  [{ foo: 'x' }, 'invalid option: "foo"'],
  [{ type: 'tmpfs' }, 'missing required option: "device"'],
  [{ device: '/x', o: 'bind' }, 'missing required option: "type"'],
  [{ size: '1G' }, 'quota size requested but no quota support'],
])('%j is refused', (options, message) => {
  expect(() => checkLocalOptions(options as Record<string, string>)).toThrow(message)
})
