/** Who a process is for every form of USER, as dockerd answered for the same image (CVE-2022-36109, CVE-2024-40635). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { seedRegistry, startRegistry } from '../../support/registry.ts'
import { userForms, usersImage } from '../../support/users-image.ts'

type Answer = { readonly id: readonly string[] } | { readonly code: number; readonly error: string }

const golden = join(import.meta.dirname, '../../golden/users.json')
const { answers }: { answers: Record<string, Answer> } = JSON.parse(readFileSync(golden, 'utf8'))

/** Where we answer otherwise on purpose. */
const stricter: Readonly<Record<string, Answer>> = {
  // dockerd adds the gid (0) of the group that is named 77; here a number never names anything.
  'web:77': { id: ['100', '77', '77', '/srv/web'] },
  // dockerd reads what a line of passwd lacks as 0, which is root.
  half: {
    code: 125,
    error: 'docker: Error response from daemon: unable to find user half: no matching entries in passwd file',
  },
}

let daemon: TestDaemon
let image: string

beforeAll(async () => {
  daemon = await startDaemon({ withImage: false })
  const storage = join(daemon.directory, 'registry')
  await seedRegistry(storage, { 'users:latest': usersImage() })
  await using registry = await startRegistry({ storage, enter: daemon.enter })
  image = `${registry.host}/users:latest`
  expect((await daemon.docker('pull', image)).code).toBe(0)
  return () => daemon[Symbol.asyncDispose]()
})

test('every form was put to dockerd', () => {
  expect(Object.keys(answers).sort()).toEqual([...userForms].sort())
})

test.for(userForms)("the user '%s' has the identity that dockerd gives it", async (user) => {
  const script = 'id -u; id -g; id -G; echo $HOME'
  const run = ['run', '--rm', '--network', 'none', '-u', user, image, 'sh', '-c', script]
  const { code, stdout, stderr } = await daemon.docker(...run)
  const answer = code === 0 ? { id: stdout.trim().split('\n') } : { code, error: stderr.split('\n')[0] }
  expect(answer).toEqual(stricter[user] ?? answers[user])
})
