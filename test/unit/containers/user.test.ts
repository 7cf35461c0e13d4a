import { expect, test } from 'vitest'
import { resolveUser } from '#containers/spec/user.ts'

const files = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\n# a comment\nweb:x:100:101:web:/srv/web:/bin/sh\n1000:x:0:0:trap:/:/bin/sh\nbad line\n',
  group: 'root:x:0:\nweb:x:101:\nlog:x:102:web,root\nwheel:x:10:root\n',
}
const resolve = (user: string, groupAdd: string[] = []) => resolveUser(user, groupAdd, files)

test.each([
  ['', { uid: 0, gid: 0, additionalGids: [0, 102, 10], home: '/root' }],
  ['root', { uid: 0, gid: 0, additionalGids: [0, 102, 10], home: '/root' }],
  ['web', { uid: 100, gid: 101, additionalGids: [101, 102], home: '/srv/web' }],
  ['100', { uid: 100, gid: 101, additionalGids: [101, 102], home: '/srv/web' }],
  ['web:wheel', { uid: 100, gid: 10, additionalGids: [10], home: '/srv/web' }],
  ['web:7', { uid: 100, gid: 7, additionalGids: [7], home: '/srv/web' }],
  ['4242', { uid: 4242, gid: 0, additionalGids: [0], home: '/' }],
  ['4242:4343', { uid: 4242, gid: 4343, additionalGids: [4343], home: '/' }],
])("the user '%s' is who Docker takes it for", (user, expected) => {
  expect(resolve(user)).toEqual(expected)
})

test('a number is never looked up as a name', () => {
  expect(resolve('1000')).toMatchObject({ uid: 1000, gid: 0, home: '/' })
})

test.each(['2147483648', '4294967296', '-1', '99999999999999999999'])('the number %s is no user', (user) => {
  expect(() => resolve(user)).toThrow('uids and gids must be in range 0-2147483647')
  expect(() => resolve(`0:${user}`)).toThrow('uids and gids must be in range 0-2147483647')
})

test('names that are not there are errors in the words of Docker', () => {
  expect(() => resolve('nobody')).toThrow('unable to find user nobody: no matching entries in passwd file')
  expect(() => resolve('web:nogroup')).toThrow('unable to find group nogroup: no matching entries in group file')
  expect(() => resolve('web', ['nogroup'])).toThrow('unable to find group nogroup: no matching entries in group file')
})

test('groups are added by name and number, each once', () => {
  expect(resolve('web', ['wheel', '10', '999']).additionalGids).toEqual([101, 102, 10, 999])
})

test('an image without account files knows root and numbers', () => {
  const none = { passwd: undefined, group: undefined }
  expect(resolveUser('', [], none)).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: '/' })
  expect(resolveUser('5:6', [], none)).toMatchObject({ uid: 5, gid: 6 })
})
