import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const cache = join(import.meta.dirname, '../../build/cache/npm-clients')

/** Installs the programs of others that tests drive from npm, once; needs a network. */
export function fetchNpmClients(): void {
  execFileSync('sh', [join(import.meta.dirname, 'npm-clients/fetch.sh'), cache], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 150_000,
  })
}

/** One of them, as in npm-clients/package.json. They are fetched before. */
export function requireNpmClient(name: string) {
  return createRequire(join(cache, 'package.json'))(name)
}
