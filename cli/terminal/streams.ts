import type { Readable } from 'node:stream'

export interface Output {
  readonly isTerminal: boolean
  readonly columns: number
  readonly rows: number
  /** Waits while the reader is slow; a reader that has gone ends the write quietly (`closed` is then true). */
  write(chunk: string | Uint8Array): Promise<void>
  readonly closed: boolean
  /** Calls the listener whenever the terminal's size changes, until disposed. */
  onResize(listener: () => void): Disposable
}

export interface Input {
  readonly isTerminal: boolean
  /** The stream itself; opening it has effects, so ask only when bytes are wanted. */
  open(): Readable
  /** Raw mode of the terminal until disposed. */
  raw(): Promise<Disposable>
  /** Lets the process end although nobody reads to the end. */
  release(): void
}

/** Where what nobody wants to see goes. */
export const silent: Output = {
  isTerminal: false,
  columns: 80,
  rows: 24,
  closed: false,
  write: async () => {},
  onResize: () => ({ [Symbol.dispose]: () => {} }),
}

/** @param stream asked for at first use: opening standard streams costs time */
export function outputOf(stream: () => NodeJS.WriteStream): Output {
  let opened: NodeJS.WriteStream | undefined
  let closed = false
  const get = (): NodeJS.WriteStream => {
    if (opened) return opened
    opened = stream()
    opened.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      closed = true
    })
    return opened
  }
  return {
    get isTerminal() {
      return get().isTTY === true
    },
    get columns() {
      // A terminal that nobody gave a size says 0.
      return get().columns || 80
    },
    get rows() {
      return get().rows || 24
    },
    get closed() {
      return closed
    },
    write: (chunk) => {
      if (closed) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      get().write(chunk, () => resolve())
      return promise
    },
    onResize(listener) {
      const target = get()
      target.on('resize', listener)
      return { [Symbol.dispose]: () => void target.off('resize', listener) }
    },
  }
}

/** @param isTerminal answers for descriptor 0 without opening the stream */
export function inputOf(stream: () => NodeJS.ReadStream, isTerminal: () => boolean): Input {
  let opened: NodeJS.ReadStream | undefined
  const get = (): NodeJS.ReadStream => {
    opened ??= stream()
    return opened
  }
  return {
    get isTerminal() {
      return isTerminal()
    },
    open: get,
    async raw() {
      const terminal = get()
      if (terminal.isTTY !== true) return { [Symbol.dispose]: () => {} }
      terminal.setRawMode(true)
      // Node's raw mode still turns a line feed into two signs, which garbles full-screen programs; leaving raw mode undoes this too.
      const { spawnSync } = await import('node:child_process')
      spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
      return { [Symbol.dispose]: () => void terminal.setRawMode(false) }
    },
    release() {
      opened?.destroy()
    },
  }
}
