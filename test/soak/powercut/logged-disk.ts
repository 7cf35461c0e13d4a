import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../support/wait-for.ts'

export interface LoggedDisk extends AsyncDisposable {
  /** The file system. */
  readonly path: string
  /** Ends it as it is, and gives the log of every request since `mkfs`. */
  end(): Promise<{ readonly base: string; readonly log: string }>
}

export const diskBytes = 384 << 20

/** An ext4 file system whose disk logs every request to it. Call it in a mount namespace of one's own. */
export async function openLoggedDisk(directory: string): Promise<LoggedDisk> {
  const file = (name: string) => join(directory, name)
  for (const name of ['disk.img', 'log.img', 'export.img']) writeFileSync(file(name), '')
  truncateSync(file('disk.img'), diskBytes)
  execFileSync('mkfs.ext4', ['-q', file('disk.img')])
  execFileSync('cp', ['--sparse=always', file('disk.img'), file('base.img')])
  const storage = spawn('qemu-storage-daemon', [
    ...['--blockdev', `driver=file,node-name=disk,filename=${file('disk.img')}`],
    ...['--blockdev', `driver=file,node-name=log,filename=${file('log.img')}`],
    ...['--blockdev', 'driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size=512'],
    ...['--export', `type=fuse,id=disk,node-name=logged,mountpoint=${file('export.img')},writable=on`],
  ])
  let words = ''
  storage.stderr.on('data', (chunk) => {
    words += String(chunk)
  })
  await waitFor('the disk is exported', () => {
    if (storage.exitCode !== null) throw new Error(`qemu-storage-daemon ended: ${words}`)
    return statSync(file('export.img')).size === diskBytes
  })
  mkdirSync(file('mnt'))
  mountImage(file('export.img'), file('mnt'))
  return {
    path: file('mnt'),
    async end() {
      await unmount(file('mnt'))
      await stop(storage)
      return { base: file('base.img'), log: file('log.img') }
    },
    [Symbol.asyncDispose]: () => stop(storage),
  }
}

export function mountImage(image: string, path: string): void {
  execFileSync('mount', ['-t', 'ext4', '-o', 'loop', image, path])
}

/** Children of what was killed may be at work there for a moment. */
export async function unmount(path: string): Promise<void> {
  await waitFor(`nobody uses ${path}`, () => spawnSync('umount', [path], { stdio: 'ignore' }).status === 0)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
