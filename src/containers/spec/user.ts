import { invalid } from '#base/errors.ts'

/** Who a process runs as. */
export interface ResolvedUser {
  readonly uid: number
  readonly gid: number
  readonly additionalGids: readonly number[]
  /** From passwd; `/` without an entry. */
  readonly home: string
}

/** The two files of the container's root; undefined when it has none. */
export interface UserFiles {
  readonly passwd: string | undefined
  readonly group: string | undefined
}

/** No account file is larger. */
export const userFileLimit = 4 << 20
const maxId = 2 ** 31 - 1

interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

interface Group {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

/**
 * Resolves `name`, `uid`, `name:group`, `uid:gid`, … as Docker does. A number is never looked up as a name, so that a large one
 * cannot turn into root.
 * @throws `invalid` in Docker's words
 */
export function resolveUser(setting: string, groupAdd: readonly string[], files: UserFiles): ResolvedUser {
  const [userPart = '', groupPart = ''] = setting.split(':', 2)
  const account = findUser(userPart, parsePasswd(files.passwd ?? ''))
  const groups = parseGroup(files.group ?? '')
  const own = groupPart === '' ? undefined : findGroup(groupPart, groups)
  const memberships =
    groupPart !== '' || account.name === undefined
      ? []
      : groups.filter(({ members }) => members.includes(account.name ?? '')).map(({ gid }) => gid)
  const added = groupAdd.map((name) => findGroup(name, groups))
  const gid = own ?? account.gid
  return {
    uid: account.uid,
    gid,
    additionalGids: [...new Set([gid, ...memberships, ...added])],
    home: account.home === '' ? '/' : account.home,
  }
}

function findUser(text: string, users: readonly User[]): Omit<User, 'name'> & { readonly name: string | undefined } {
  const nobody = { name: undefined, gid: 0, home: '' }
  if (text === '') return users.find(({ uid }) => uid === 0) ?? { ...nobody, uid: 0 }
  if (isNumber(text)) {
    const uid = parseId(text)
    return users.find((user) => user.uid === uid) ?? { ...nobody, uid }
  }
  const found = users.find(({ name }) => name === text)
  if (!found) throw invalid(`unable to find user ${text}: no matching entries in passwd file`)
  return found
}

function findGroup(text: string, groups: readonly Group[]): number {
  if (isNumber(text)) return parseId(text)
  const found = groups.find(({ name }) => name === text)
  if (!found) throw invalid(`unable to find group ${text}: no matching entries in group file`)
  return found.gid
}

function isNumber(text: string): boolean {
  return /^[+-]?\d+$/.test(text)
}

function parseId(text: string): number {
  const id = Number(text)
  if (!Number.isInteger(id) || id < 0 || id > maxId) throw invalid('uids and gids must be in range 0-2147483647')
  return id
}

function parsePasswd(text: string): User[] {
  return fieldsOf(text).flatMap(([name = '', , uid = '', gid = '', , home = '']) =>
    isId(uid) && isId(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [],
  )
}

function parseGroup(text: string): Group[] {
  return fieldsOf(text).flatMap(([name = '', , gid = '', members = '']) =>
    isId(gid) ? [{ name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') }] : [],
  )
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= maxId
}

function fieldsOf(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
}
