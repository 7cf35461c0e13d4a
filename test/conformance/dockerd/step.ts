/** One request of a script, and how its answer is read. Words in braces stand for ids that earlier answers gave (`save`). */
export interface Step {
  readonly method: string
  /** Without the version: `/containers/{web}/json`. */
  readonly path: string
  /** An object is sent as JSON, a string as it is, a Buffer as an archive. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** The name that the `Id` of the answer has from then on. */
  readonly save?: string
  /** The answer is a stream of frames, put together by stream. */
  readonly frames?: boolean
  /** The connection is taken over; this is its whole input. */
  readonly input?: string
  /** Sent without the version in front. */
  readonly bare?: boolean
  /** Asked again until the answer has this text: what a daemon does after it has answered. It is recorded once. */
  readonly until?: string
}

export type Options = Omit<Step, 'method' | 'path'>

export interface Script {
  readonly name: string
  readonly steps: readonly Step[]
}

const of =
  (method: string) =>
  (path: string, options: Options = {}): Step => ({ method, path, ...options })

export const get = of('GET')
export const head = of('HEAD')
export const post = of('POST')
export const put = of('PUT')
export const remove = of('DELETE')

/** A container without a network that sleeps until it is killed. */
export function create(name: string, config: object = {}, host: object = {}): Step {
  const body = { Image: 'busybox', Cmd: ['sleep', '1000'], ...config, HostConfig: { NetworkMode: 'none', ...host } }
  return post(`/containers/create?name=${name}`, { body, save: name })
}
