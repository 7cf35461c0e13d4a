import { BerthError, invalid, messageOf } from '#base/errors.ts'

export interface StartFailure {
  /** What the container's record says: 127 not found, 126 not executable, 128 else. */
  readonly exitCode: number
  /** In the words of dockerd with runc, which clients compare. */
  readonly error: BerthError
}

const createPrefix =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: '
const execPrefix = 'OCI runtime exec failed: exec failed: '
const unableToStart = 'unable to start container process: '

/** Where the container's side failed: making it, or running its command. */
export function toStartFailure(cause: unknown): StartFailure {
  const isCommand = isCommandError(messageOf(cause))
  const text = `${createPrefix}${unableToStart}error during container init: ${messageOf(cause)}${isCommand ? '' : mountHint(cause)}`
  return toFailure(cause, text)
}

export function toExecFailure(cause: unknown): StartFailure {
  return toFailure(cause, `${execPrefix}${unableToStart}${messageOf(cause)}`)
}

function toFailure(cause: unknown, text: string): StartFailure {
  const exitCode = exitCodeOf(messageOf(cause))
  if (exitCode !== undefined) return { exitCode, error: invalid(text, { cause }) }
  return { exitCode: 128, error: new BerthError('internal', text, { cause }) }
}

function isCommandError(message: string): boolean {
  return message.startsWith('exec')
}

function exitCodeOf(message: string): number | undefined {
  if (/executable file not found|no such file or directory|not a directory/i.test(message)) return 127
  if (/permission denied|is a directory|exec format error/i.test(message)) return 126
  return undefined
}

function mountHint(cause: unknown): string {
  if (!/not a directory/i.test(messageOf(cause))) return ''
  return ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type'
}
