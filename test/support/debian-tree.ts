import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const cache = join(import.meta.dirname, '../../build/cache')

/** A Debian 12 root filesystem of the smallest kind, made once by debootstrap; there is no Node in it.   @returns its directory */
export function debianTree(): string {
  const tree = join(cache, 'debian-12')
  if (existsSync(tree)) return tree
  const temporary = `${tree}.new`
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  execFileSync('debootstrap', ['--variant=minbase', 'bookworm', temporary, mirror()], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  renameSync(temporary, tree)
  return tree
}

/** Where this machine's own packages come from. */
function mirror(): string {
  const text = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { encoding: 'utf8' })
  const uri = text.split('\n').find((line) => line !== '' && !line.includes('security'))
  if (uri === undefined) throw new Error('apt knows no Debian mirror')
  return uri
}
