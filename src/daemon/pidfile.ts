import { readFile, rm } from 'node:fs/promises'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { conflict, systemCode } from '#base/errors.ts'

/** Writes our pid; removed again when disposed.   @throws `conflict` when the process in the file lives */
export async function writePidfile(path: string): Promise<AsyncDisposable> {
  const other = Number(await readFile(path, 'utf8').catch(() => ''))
  if (Number.isInteger(other) && other > 0 && other !== process.pid && lives(other)) {
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
