import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
/** Everything of the daemon that starts children by spawn; what `execFile` starts fails by itself. */
const starters = globSync('{src,images,shim,runtime}/**/*.ts', { cwd: root }).filter((path) =>
  /import \{[^}]*\bspawn\b[^}]*\} from 'node:child_process'/.test(readFileSync(join(root, path), 'utf8')),
)
const scene = join(import.meta.dirname, 'no-descriptors-scene.ts')

test.each(starters)(
  'a daemon without descriptors to spare for the child of %s is told so, and lives on',
  async (path) => {
    const { NOTIFY_SOCKET: _, ...env } = process.env
    const told = { ...env, NOTIFY_SOCKET: '/nowhere' }
    const { stdout } = await promisify(execFile)('prlimit', ['--nofile=256:256', process.execPath, scene, path], {
      env: told,
    })
    expect(stdout).toMatch(path.endsWith('systemd.ts') ? /^done\n/ : /^.*(cannot run|EMFILE|too many open files)/)
    expect(stdout.split('\n')).toHaveLength(26)
  },
)
