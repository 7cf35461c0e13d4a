import type { DeviceSpec, MountSpec } from '#oci/runtime-spec.ts'
import { dockerMounts } from '#test/support/docker-bundle.ts'
import type { ContainerOptions } from './container.ts'
import { namespaces, six } from './mapped-container.ts'
import { type RenameTree, type StormKind, secret, stormNames } from './rename-tree.ts'

export interface Wanted {
  readonly options: ContainerOptions
  /** Words that stand in the mountinfo of a container that has all its mounts, as often as it has them. */
  readonly words: readonly string[]
}

/**
 * Writes where it stands and into all that is mounted, shows what it sees there, and ends with its mounts, wherever its procfs is. A file that
 * is a device by now would be read without end.
 */
const script = `
ls -a . .. ../..
for place in . /race/* /race/*/* /shared/* /shared/*/*; do echo written 2>/dev/null >"$place/written"; done
find /race /shared -xdev -type f -size -2 2>/dev/null | xargs head -c 200 2>/dev/null
for try in 1 2 3 4 5 6 7 8; do cat /*/self/mountinfo 2>/dev/null && break; done
true`

/** With the ids of the host: nothing has to be given to other owners, and what makes such containers goes other ways to the same places. */
const ownUsers = {
  namespaces: namespaces(...six, 'user'),
  uidMappings: [{ containerID: 0, hostID: 0, size: 65536 }],
  gidMappings: [{ containerID: 0, hostID: 0, size: 65536 }],
}

/** A container whose mounts, masks, devices and directory are among the names that move, as `random` decides. */
export function randomContainer(tree: RenameTree, kind: StormKind, random: () => number): Wanted {
  const often = [...stormNames[kind], 'a', 'a', 'a'] as const
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  const some = <T>(most: number, make: (index: number) => T): T[] =>
    Array.from({ length: Math.floor(random() * (most + 1)) }, (_, index) => make(index))
  const place = (): string =>
    [one(['/race', '/shared']), ...some(1, () => one(often)), one([...often, 'new', 'new', 'new'])].join('/')

  const wanted = some(4, (index) => randomMount(tree, one, place(), index))
  const ownDev = random() < 0.3
  const standard = ownDev ? dockerMounts.filter(({ destination }) => !destination.startsWith('/dev')) : dockerMounts
  const devices = some(1, (): DeviceSpec => ({ path: `${place()}-device`, type: 'c', major: 1, minor: 3 }))
  return {
    words: wanted.flatMap(({ word }) => word ?? []),
    options: {
      run: script,
      process: {
        cwd: one([
          '/',
          '/',
          '/',
          '/',
          '/',
          '/',
          place(),
          place(),
          '/race/f',
          `/proc/self/fd/${3 + Math.floor(random() * 12)}`,
        ]),
        terminal: random() < 0.15,
      },
      onlyMounts: [
        ...standard,
        { destination: '/shared', type: 'bind', source: tree.shared, options: ['rbind'] },
        ...wanted.map(({ mount }) => mount),
      ],
      linux: {
        ...(random() < 0.25 ? ownUsers : {}),
        devices,
        maskedPaths: ['/proc/kcore', ...some(1, place)],
        readonlyPaths: ['/proc/sys', ...some(1, place)],
        ...(random() < 0.25 ? { sysctl: { 'kernel.msgmax': '9999' } } : {}),
      },
    },
  }
}

function randomMount(
  { offered }: RenameTree,
  one: <T>(of: readonly T[]) => T,
  destination: string,
  index: number,
): { readonly mount: MountSpec; readonly word?: string } {
  const source = `race-${index}`
  const kind = one(['tmpfs', 'tmpfs', 'tmpfs', 'copy', 'directory', 'directory', 'file', 'kernel', 'remount'] as const)
  switch (kind) {
    case 'tmpfs':
      return { mount: { destination, type: 'tmpfs', source }, word: source }
    case 'copy':
      return { mount: { destination, type: 'tmpfs', source, options: ['tmpcopyup'] }, word: source }
    case 'directory':
    case 'file':
      return {
        mount: { destination, type: 'bind', source: `${offered}/${kind}`, options: ['bind'] },
        word: `/offered/${kind}`,
      }
    case 'kernel': {
      const type = one(['proc', 'sysfs', 'mqueue'])
      return { mount: { destination, type, source }, word: source }
    }
    case 'remount':
      return { mount: { destination, options: ['remount', 'bind', 'noatime'] } }
    default:
      return kind satisfies never
  }
}

/** @returns what the output of a container tells of the host that it must not, and which of its mounts are not inside its root */
export function problemsOf(tree: RenameTree, { words }: Wanted, output: string): string[] {
  const lines = output.split('\n')
  const mounts = lines.map((line) => line.split(' ')).filter((fields) => fields.includes('-') && fields.length > 9)
  const foreign = mounts.filter(([, , , root = '']) => tree.isForeign(root)).map((fields) => fields.join(' '))
  const missing = mounts.length === 0 ? [] : words.filter((word) => count(mounts, word) < count([words], word))
  return [
    ...lines.filter((line) => line.includes(secret)).map((line) => `the container read '${line}'`),
    ...foreign.map((line) => `the container has a mount of the host: ${line}`),
    ...missing.map((word) => `'${word}' is not mounted inside the root`),
  ]
}

function count(lines: readonly (readonly string[])[], word: string): number {
  return lines.flat().filter((field) => field === word || (word.startsWith('/') && field.endsWith(word))).length
}
