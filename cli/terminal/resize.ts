import type { Cli } from '../cli.ts'

/** Tells the engine our terminal's size, now and after every change until disposed. */
export function followSize(cli: Cli, path: string): Disposable {
  const tell = (): void => {
    // A process that has already ended has no size; there is nothing to tell the user.
    cli.client.send('POST', `${path}/resize`, { query: { h: cli.stdout.rows, w: cli.stdout.columns } }).catch(() => {})
  }
  tell()
  return cli.stdout.onResize(tell)
}
