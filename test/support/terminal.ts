import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Terminal extends AsyncDisposable {
  /** Types. */
  write(text: string): void
  /** What appeared since the last call, up to and with `what`.   @throws when the program ends or 20 s pass before that */
  until(what: string): Promise<string>
  resize(rows: number, columns: number): Promise<void>
  /** The exit status, and what appeared since the last call. */
  end(): Promise<{ readonly status: number; readonly rest: string }>
}

export interface TerminalOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly rows: number
  readonly columns: number
}

const patienceMs = 20_000

/** Runs a program on a pseudo-terminal of its own (util-linux' script makes it), in cooked mode with echo, as a shell's user has it. */
export async function openTerminal(argv: readonly string[], options: TerminalOptions): Promise<Terminal> {
  const { rows, columns, env } = options
  const quoted = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const line = `stty rows ${rows} cols ${columns}; tty; echo $$; exec ${quoted}`
  const child = spawn('script', ['-qefc', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => undefined) // the program may end while something is typed
  const closed = once(child, 'close')
  let seen = ''
  let wake: () => void = () => undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text
    wake()
  })
  let ended = false
  void closed.then(() => {
    ended = true
    wake()
  })
  const until = async (what: string): Promise<string> => {
    const deadline = Date.now() + patienceMs
    while (!seen.includes(what)) {
      const left = deadline - Date.now()
      if (ended || left <= 0) throw new Error(`${JSON.stringify(what)} did not appear: ${JSON.stringify(seen)}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      const timer = setTimeout(resolve, left)
      await promise
      clearTimeout(timer)
    }
    const end = seen.indexOf(what) + what.length
    const text = seen.slice(0, end)
    seen = seen.slice(end)
    return text
  }
  const device = (await until('\n')).trim()
  const pid = Number(await until('\n'))
  return {
    until,
    write: (text) => void child.stdin.write(text),
    async resize(rows, columns) {
      await once(spawn('stty', ['-F', device, 'rows', String(rows), 'cols', String(columns)]), 'close')
    },
    async end() {
      const [status] = await closed
      return { status: Number(status), rest: seen }
    },
    async [Symbol.asyncDispose]() {
      // The program dies, script sees it and reaps it; a script that is killed leaves an orphan.
      if (!ended) process.kill(pid, 'SIGKILL')
      await closed
    },
  }
}
