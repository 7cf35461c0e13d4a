import { readFile, rm, stat } from 'node:fs/promises'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { conflict, systemCode } from '#base/errors.ts'

/** USER_HZ, on every machine that Linux runs on today. */
const ticksPerSecond = 100
/** The kernel tells when it booted in whole seconds. */
const clockSlackSeconds = 2

/** Writes our pid; removed again when disposed.   @throws `conflict` when the process that wrote the file lives */
export async function writePidfile(path: string): Promise<AsyncDisposable> {
  const other = Number(await readFile(path, 'utf8').catch(() => ''))
  if (
    Number.isInteger(other) &&
    other > 0 &&
    other !== process.pid &&
    lives(other) &&
    !(await isYounger(other, path))
  ) {
    throw conflict(
      `pid file found, ensure berth is not running or delete ${path}: process with PID ${other} is still running`,
    )
  }
  await writeFileAtomic(path, `${process.pid}\n`, { mode: 0o644 })
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

/** A process that began after the file was written merely has the number of the one that wrote it. @see proc_pid_stat(5), field 22 */
async function isYounger(pid: number, path: string): Promise<boolean> {
  const [self, kernel, { mtimeMs }] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''),
    readFile('/proc/stat', 'utf8'),
    stat(path),
  ])
  const ticks = Number(self.slice(self.lastIndexOf(')') + 2).split(' ')[19] ?? Number.NaN)
  const bootSeconds = Number(/^btime (\d+)$/m.exec(kernel)?.[1] ?? Number.NaN)
  return (bootSeconds + ticks / ticksPerSecond - clockSlackSeconds) * 1000 > mtimeMs
}
