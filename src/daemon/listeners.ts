import { chmod, chown, lstat, mkdir, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { conflict, invalid, notFound, systemCode } from '#base/errors.ts'

/** What an address of `--host` stands for. */
export type Listener =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number | undefined }
  | { readonly kind: 'inherited' }

const socketMode = 0o660
/** @see unix(7) */
const longestSocketPath = 107
/** Groups whose members may use the socket, when nobody chose one; the first that exists. */
const usualGroups = ['docker', 'berth']

/** `unix:///path`, `tcp://host:port` or `fd://`.   @throws `invalid` for others */
export function parseHost(text: string): Listener {
  if (text === 'fd://' || text.startsWith('fd://')) return { kind: 'inherited' }
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? []
  if (scheme === 'unix' && rest.startsWith('/')) {
    if (Buffer.byteLength(rest) > longestSocketPath) {
      throw invalid(`invalid host ${text}: its path is longer than the ${longestSocketPath} bytes of a socket address`)
    }
    return { kind: 'unix', path: rest }
  }
  if (scheme === 'tcp') return parseTcp(rest, text)
  throw invalid(`invalid host ${text}: write unix:///path/to/socket or tcp://host:port`)
}

function parseTcp(rest: string, text: string): Listener {
  const found = /^(?:\[([^\]]+)\]|([^:/[\]]*))(?::(\d{1,5}))?\/?$/.exec(rest)
  const [, bracketed, plain, digits] = found ?? []
  const port = digits === undefined ? undefined : Number(digits)
  if (!found || (port ?? 0) > 65_535) throw invalid(`invalid host ${text}: write tcp://host:port`)
  return { kind: 'tcp', host: (bracketed ?? plain) || 'localhost', port }
}

/** Clears a socket that nobody listens on any more.   @throws `conflict` when somebody does, or when it is another kind of file */
export async function prepareSocketPath(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (!found) return
  if (!found.isSocket()) throw conflict(`cannot listen on ${path}: it exists and is no socket`)
  if (await isServed(path)) throw conflict(`cannot listen on ${path}: another daemon is listening there`)
  await rm(path, { force: true })
}

/** Gives the socket to its group. */
export async function protectSocket(path: string, group: string | undefined): Promise<void> {
  const gid = await findGroup(group)
  if (gid !== undefined) await chown(path, 0, gid)
  await chmod(path, socketMode)
}

async function isServed(path: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const socket = connect({ path })
  socket.once('connect', () => resolve(true))
  socket.once('error', (error) => {
    const code = systemCode(error)
    if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false)
    else reject(error)
  })
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

/** @throws `not-found` for a group that was asked for by name */
async function findGroup(asked: string | undefined): Promise<number | undefined> {
  if (asked !== undefined && /^\d+$/.test(asked)) return Number(asked)
  const lines = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const name of asked === undefined ? usualGroups : [asked]) {
    const gid = lines.find(([found]) => found === name)?.[2]
    if (gid !== undefined) return Number(gid)
  }
  if (asked !== undefined) throw notFound(`group ${asked} not found`)
  return undefined
}
