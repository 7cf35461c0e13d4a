import type { Cli } from '../../cli.ts'
import { containerPath } from '../../client/containers.ts'
import { type AttachedOptions, streamAttached } from '../../terminal/attached.ts'
import { defaultDetachKeys, parseDetachKeys } from '../../terminal/detach-keys.ts'
import { proxiedSignals } from '../../terminal/signals.ts'

export interface AttachRequest {
  readonly id: string
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
  /** As typed; empty for the configuration's, then ctrl-p,ctrl-q. */
  readonly detachKeys: string
}

/** Connects to a container's streams.   @returns a function that moves the bytes until an end */
export async function openAttach(cli: Cli, request: AttachRequest): Promise<() => Promise<'ended' | 'detached'>> {
  const { id, stdin, stdout, stderr, tty } = request
  const keys = await detachKeysOf(cli, request.detachKeys)
  const { socket } = await cli.client.hijack(containerPath(id, '/attach'), {
    query: { stream: true, stdin, stdout, stderr, detachKeys: keys.asked },
  })
  const options: AttachedOptions = { socket, stdin, tty, output: stdout || stderr, detachKeys: keys.bytes }
  return () => streamAttached(cli, options)
}

/** @returns the bytes, and what to tell the engine when the keys are not the usual ones */
export async function detachKeysOf(cli: Cli, typed: string): Promise<{ bytes: Buffer; asked: string | undefined }> {
  const asked = typed === '' ? ((await cli.config()).detachKeys ?? '') : typed
  const bytes = parseDetachKeys(asked === '' ? defaultDetachKeys : asked)
  return { bytes, asked: asked === '' ? undefined : asked }
}

/** Sends the container every signal that we get, until disposed. */
export function proxySignals(cli: Cli, id: string, { tty }: { readonly tty: boolean }): Disposable {
  const signals = tty ? proxiedSignals.filter((signal) => signal !== 'SIGWINCH') : proxiedSignals
  return cli.signals.listen(signals, (signal) => {
    // A container that has just ended cannot take the signal any more, and its end is what we wait for.
    cli.client
      .send('POST', containerPath(id, '/kill'), { query: { signal: signal.replace(/^SIG/, '') } })
      .catch(() => {})
  })
}
