import { execFileSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { busyboxLayer } from '#test/support/base-image.ts'
import type { TestDaemon } from '#test/support/daemon.ts'
import { dockerCli } from '#test/support/dockerd.ts'
import type { TarEntry } from '#test/support/tar.ts'

export const reaperImage = 'reaper:local'

/** Each connection sends lines of filters and is told ACK for each; when it ends, what they match is removed, and the reaper ends. */
const session = `#!/bin/sh
exec 2>/proc/1/fd/2
: >/tmp/filters
while read -r filter; do
  echo "$filter" | tr -d '\\r' >>/tmp/filters
  echo ACK
done
while read -r filter; do
  for id in $(docker ps -aq --filter "$filter"); do
    [ "$id" = "$(hostname)" ] || docker rm -fv "$id" >&2
  done
  for id in $(docker network ls -q --filter "$filter"); do docker network rm "$id" >&2; done
  for id in $(docker volume ls -q --filter "$filter"); do docker volume rm "$id" >&2; done
done </tmp/filters
kill -TERM 1
`

const main = `#!/bin/sh
trap 'exit 0' TERM
nc -ll -p 8080 -e /bin/session &
echo Started
wait
`

/** The image that testcontainers starts to clean up after it: ryuk's protocol, spoken by a shell and the docker CLI. */
export async function addReaperImage(daemon: TestDaemon): Promise<void> {
  const files = [...dockerWithLibraries(), { name: 'bin/session', mode: 0o755, content: session }]
  const archive = join(daemon.directory, 'reaper.tar')
  await writeFile(archive, busyboxLayer([...files, { name: 'bin/reaper', mode: 0o755, content: main }]))
  const { code, stderr } = await daemon.docker('import', '-c', 'CMD ["/bin/reaper"]', archive, reaperImage)
  if (code !== 0) throw new Error(`docker import: ${stderr}`)
}

function dockerWithLibraries(): TarEntry[] {
  const program = execFileSync('sh', ['-c', 'command -v "$1"', 'sh', dockerCli()], { encoding: 'utf8' }).trim()
  const entry = (path: string, name: string): TarEntry => ({
    name,
    mode: 0o755,
    content: readFileSync(realpathSync(path)),
  })
  const libraries =
    execFileSync('sh', ['-c', 'ldd "$1" 2>/dev/null || true', 'sh', program], { encoding: 'utf8' }).match(/\/\S+/g) ??
    []
  return [entry(program, 'bin/docker'), ...libraries.map((path) => entry(path, path.slice(1)))]
}
