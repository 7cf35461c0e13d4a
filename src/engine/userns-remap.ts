import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { invalid, messageOf } from '#base/errors.ts'
import type { IdMaps } from '#containers/spec/id-maps.ts'
import type { IdMapSpec } from '#oci/runtime-spec.ts'

/** Whose ids "default" stands for. */
const defaultUser = 'dockremap'
const firstSubordinateId = 100_000
const subordinateIds = 65_536
const fileLimit = 1 << 20

interface Account {
  readonly name: string
  readonly id: number
}

export function isRemapped(setting: string | undefined): boolean {
  return setting !== undefined && setting !== '' && setting !== 'root'
}

/**
 * The subordinate ids (subuid(5), subgid(5)) of the user and group that `--userns-remap` names. The user of "default" is made when it is missing.
 * @returns undefined when nothing is remapped   @throws `invalid` naming user, file and what is missing there
 */
export async function openIdMaps(setting: string | undefined, { etc = '/etc' } = {}): Promise<IdMaps | undefined> {
  if (setting === undefined || !isRemapped(setting)) return undefined
  const [userWord = '', groupWord, ...more] = (setting === 'default' ? defaultUser : setting).split(':')
  if (more.length > 0 || userWord === '' || groupWord === '') {
    throw invalid(`invalid user/group specification in --userns-remap: "${setting}"`)
  }
  if (setting === 'default') await ensureDefaultUser(etc)
  const user = await findAccount(join(etc, 'passwd'), userWord, 'user')
  const group = await findAccount(join(etc, 'group'), groupWord ?? user.name, 'group')
  return {
    uids: await subordinate(join(etc, 'subuid'), user),
    gids: await subordinate(join(etc, 'subgid'), group),
  }
}

async function ensureDefaultUser(etc: string): Promise<void> {
  if (!(await hasLine(join(etc, 'passwd'), defaultUser))) {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', defaultUser])
  }
  const range = await freeRange(etc)
  const missing = [
    ...((await hasLine(join(etc, 'subuid'), defaultUser)) ? [] : ['--add-subuids', range]),
    ...((await hasLine(join(etc, 'subgid'), defaultUser)) ? [] : ['--add-subgids', range]),
  ]
  if (missing.length > 0) await run('usermod', [...missing, defaultUser])
}

/** Above all that are taken, the same for users and groups. */
async function freeRange(etc: string): Promise<string> {
  const taken = [...(await ranges(join(etc, 'subuid'))), ...(await ranges(join(etc, 'subgid')))]
  const first = Math.max(firstSubordinateId, ...taken.map(({ start, size }) => start + size))
  return `${first}-${first + subordinateIds - 1}`
}

async function run(program: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(program, [...args])
  } catch (cause) {
    throw invalid(
      `--userns-remap default: cannot make the user ${defaultUser} with ${program}: ${messageOf(cause)}; make it by hand, or name another user`,
      { cause },
    )
  }
}

async function findAccount(file: string, word: string, kind: string): Promise<Account> {
  const isNumber = /^\d+$/.test(word)
  for (const [name, , id] of await records(file)) {
    if (name !== undefined && id !== undefined && (isNumber ? Number(id) === Number(word) : name === word)) {
      return { name, id: Number(id) }
    }
  }
  throw invalid(`--userns-remap: there is no ${kind} "${word}" in ${file}`)
}

/** Ids of the container from 0 on, one range after the other, as newuidmap(1) would allow. */
async function subordinate(file: string, { name, id }: Account): Promise<IdMapSpec[]> {
  const own = (await ranges(file)).filter(({ owner }) => owner === name || owner === String(id))
  if (own.length === 0) throw invalid(`--userns-remap: no subordinate ids are given to "${name}" in ${file}`)
  let next = 0
  return own
    .toSorted((a, b) => a.start - b.start)
    .map(({ start, size }) => {
      const mapping = { containerID: next, hostID: start, size }
      next += size
      return mapping
    })
}

interface Range {
  readonly owner: string
  readonly start: number
  readonly size: number
}

async function ranges(file: string): Promise<Range[]> {
  return (await records(file)).map(([owner = '', start = '', size = ''], index) => {
    const range = { owner, start: Number(start), size: Number(size) }
    const isRange =
      /^\d+$/.test(start) && /^\d+$/.test(size) && range.size > 0 && range.start + range.size <= 2 ** 32 - 1
    if (!isRange) throw invalid(`${file}: entry ${index + 1} is not "user:first id:count"`)
    return range
  })
}

async function hasLine(file: string, name: string): Promise<boolean> {
  return (await records(file)).some(([first]) => first === name)
}

/** Lines of colon-separated fields. */
async function records(file: string): Promise<string[][]> {
  const content = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw invalid(`--userns-remap needs ${file}: ${messageOf(cause)}`, { cause })
  })
  if (content.length > fileLimit) throw invalid(`${file} is larger than ${fileLimit} bytes`)
  return content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
}
