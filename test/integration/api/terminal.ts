import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import type { TestDaemon } from '../../support/daemon.ts'
import { dockerCli } from '../../support/dockerd.ts'

const deadlineMs = 20_000

/** A command on a terminal of its own (through script of bsdutils), typed at and read from by a test. */
export class Terminal implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #device: string
  readonly #pid: number
  #screen = ''

  private constructor(child: ChildProcess, device: string, pid: number) {
    this.#child = child
    this.#device = device
    this.#pid = pid
  }

  /** Starts `docker …` against the daemon on a terminal of 30 rows and 100 columns. */
  static async docker(daemon: TestDaemon, ...args: readonly string[]): Promise<Terminal> {
    const command = [dockerCli(), ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
    const env = { ...process.env, DOCKER_HOST: daemon.host, DOCKER_CONFIG: daemon.directory, TERM: 'dumb' }
    const line = `tty; echo $$; stty rows 30 cols 100; exec ${command}`
    const child = spawn('script', ['-q', '-f', '-e', '-c', line, '/dev/null'], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    child.stdin.on('error', () => undefined)
    let first = ''
    while (first.split('\n').length < 3) first += String((await once(child.stdout, 'data'))[0])
    const [device = '', pid, ...rest] = first.split('\r\n')
    const terminal = new Terminal(child, device, Number(pid))
    terminal.#screen = rest.join('\r\n')
    child.stdout.on('data', (bytes: Buffer) => {
      terminal.#screen += bytes.toString()
      child.emit('screen')
    })
    return terminal
  }

  /** Everything that was written since the last `see`. */
  get screen(): string {
    return this.#screen
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Waits until this is on the screen, and forgets the screen up to its end. */
  async see(text: string | RegExp): Promise<string> {
    const late = AbortSignal.timeout(deadlineMs)
    for (;;) {
      const at = typeof text === 'string' ? this.#screen.indexOf(text) : this.#screen.search(text)
      if (at >= 0) {
        const found = typeof text === 'string' ? text : (text.exec(this.#screen)?.[0] ?? '')
        this.#screen = this.#screen.slice(at + found.length)
        return found
      }
      if (this.#child.exitCode !== null) throw new Error(`ended without ${text}: ${this.#screen}`)
      await Promise.race([
        once(this.#child, 'screen', { signal: late }),
        once(this.#child, 'close', { signal: late }),
      ]).catch((cause: unknown) => {
        throw new Error(`not seen within ${deadlineMs} ms: ${text}; screen: ${JSON.stringify(this.#screen)}`, { cause })
      })
    }
  }

  async resize(rows: number, columns: number): Promise<void> {
    await promisify(execFile)('stty', ['-F', this.#device, 'rows', String(rows), 'cols', String(columns)])
  }

  /** The exit code of the command. */
  async exit(): Promise<number> {
    if (this.#child.exitCode === null) await once(this.#child, 'close', { signal: AbortSignal.timeout(deadlineMs) })
    return this.#child.exitCode ?? -1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const closed = once(this.#child, 'close')
    // The command dies, script sees it and reaps it; a script that is killed leaves an orphan.
    process.kill(this.#pid, 'SIGKILL')
    await closed
  }
}
