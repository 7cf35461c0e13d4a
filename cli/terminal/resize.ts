import type { Cli } from '../cli.ts'

/**
 * Tells the engine our terminal's size, now and after every change until disposed. One request at a time: two on their way
 * together could arrive in the wrong order and leave the older size.
 */
export function followSize(cli: Cli, path: string): Disposable {
  let stale = false
  let busy = false
  const tell = async (): Promise<void> => {
    stale = true
    if (busy) return
    busy = true
    while (stale) {
      stale = false
      const query = { h: cli.stdout.rows, w: cli.stdout.columns }
      // A process that has already ended has no size; there is nothing to tell the user.
      await cli.client.send('POST', `${path}/resize`, { query }).catch(() => {})
    }
    busy = false
  }
  void tell()
  return cli.stdout.onResize(() => void tell())
}
