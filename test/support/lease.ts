import { spawn } from 'node:child_process'
import { once } from 'node:events'

const program = `import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('leased', flush=True)
sys.stdin.read()`

/** Takes a lease for writing on a file, whose holder does not answer who would open it: that one waits 45 s (fs.lease-break-time). */
export async function takeLease(path: string): Promise<AsyncDisposable> {
  const child = spawn('python3', ['-c', program, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const [word] = await Promise.race([once(child.stdout, 'data'), closed])
  if (String(word).trim() !== 'leased') throw new Error(`no lease on ${path}: ${word}`)
  return {
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await closed
    },
  }
}
