import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Notice {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly text: string
}

/** The asset that holds the notices. */
export const licensesAsset = 'licenses.txt'

/** Debian packages whose static libraries are linked into the native parts. */
const linked = [
  'musl',
  'libseccomp-dev',
  'libjansson-dev',
  'zlib1g-dev',
  'libzstd-dev',
  'liblzma-dev',
  'libbz2-dev',
] as const

/** The notices of everything that the binary carries and we did not write, for `berth version --licenses`. */
export function thirdPartyNotices(root: string): string {
  const isaL = join(root, 'build/deps/isa-l/copyright')
  const notices = [
    ...npmNotices(root),
    ...linked.map((name) => debianNotice(name)),
    ...(existsSync(isaL) ? [debianNotice('libisal', isaL)] : []),
  ]
  const rule = '-'.repeat(78)
  return notices
    .map(({ name, version, license, text }) => `${rule}\n${name} ${version} (${license})\n${rule}\n\n${text.trim()}\n`)
    .join('\n')
}

function npmNotices(root: string): Notice[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && !dev && existsSync(join(root, path)))
    .map(([path]) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as Record<
        string,
        string
      >
      return {
        name: name ?? path,
        version: version ?? '',
        license: license ?? 'see below',
        text: licenseText(join(root, path)),
      }
    })
    .sort((left, right) => left.name.localeCompare(right.name))
}

function licenseText(directory: string): string {
  const file = readdirSync(directory).find((name) => /^(licen[cs]e|copying)/i.test(name))
  return file === undefined ? 'Its package carries no license file.' : readFileSync(join(directory, file), 'utf8')
}

function debianNotice(name: string, file = `/usr/share/doc/${name}/copyright`): Notice {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : `See ${file} on a Debian machine.`
  return { name, version: '(Debian)', license: 'see below', text }
}
