import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importsOf } from './support/imports.ts'
import { importProblem, type Layer, layers } from './support/layers.ts'

const root = join(import.meta.dirname, '..')
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '')
const sources = tracked.filter((path) => path.endsWith('.ts'))
const generated = (path: string): boolean => path.endsWith('.gen.ts')

const layerOf = (path: string): Layer | undefined =>
  layers.find(({ folder }) => path.startsWith(`${folder}${sep}`) && path.endsWith('.ts'))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe.each(layers)('$alias', (layer) => {
  test('imports only the layers below it', () => {
    const problems = sources
      .filter((path) => layerOf(path) === layer)
      .flatMap((path) =>
        importsOf(read(path)).flatMap(({ specifier, typeOnly }) => {
          const problem = importProblem(layer, specifier, typeOnly) ?? relativeProblem(path, specifier, layer)
          return problem === undefined ? [] : [`${path}: ${problem}`]
        }),
      )
    expect(problems).toEqual([])
  })
})

function relativeProblem(path: string, specifier: string, layer: Layer): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const target = normalize(join(dirname(path), specifier))
  return target.startsWith(`${layer.folder}${sep}`) ? undefined : `${specifier} leaves the layer; use its alias`
}

test('no file imports itself through others', () => {
  const graph = new Map(
    sources.map((path) => [
      path,
      importsOf(read(path))
        .filter(({ typeOnly }) => !typeOnly)
        .flatMap(({ specifier }) => targetOf(path, specifier)),
    ]),
  )
  expect(cycles(graph)).toEqual([])
})

function targetOf(path: string, specifier: string): string[] {
  if (specifier.startsWith('.')) return [normalize(join(dirname(path), specifier))]
  const layer = layers.find(({ alias }) => specifier.startsWith(`${alias}/`))
  return layer ? [join(layer.folder, specifier.slice(layer.alias.length + 1))] : []
}

function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    state.set(path, 'open')
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    state.set(path, 'done')
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

test('only runtime/library.ts knows the FFI package', () => {
  const importers = sources.filter((path) =>
    importsOf(read(path)).some(({ specifier, typeOnly }) => specifier === 'koffi' && !typeOnly),
  )
  expect(importers.filter((path) => !path.startsWith('src/packaging/'))).toEqual(['runtime/library.ts'])
})

test('no module has a default export, and none only re-exports others', () => {
  const wrong = sources
    .filter((path) => !path.startsWith('.config/') && !generated(path))
    .filter((path) => {
      const code = read(path).replace(/\/\*[\s\S]*?\*\//g, '')
      const statements = code.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('//'))
      return (
        /^export default\b/m.test(code) ||
        (statements.length > 0 && statements.every((line) => /^export .* from /.test(line)))
      )
    })
  expect(wrong).toEqual([])
})

test('no file is too long to read at one sitting', () => {
  const limitOf = (path: string): number => (/\.[ch]$/.test(path) ? 600 : 400)
  const long = tracked
    .filter((path) => /\.(ts|c|h)$/.test(path) && !generated(path) && !path.startsWith('test/golden/'))
    .map((path) => ({ path, lines: read(path).split('\n').length - 1 }))
    .filter(({ path, lines }) => lines > limitOf(path))
  expect(long).toEqual([])
})

test('no file is a drawer for everything', () => {
  const drawers = tracked.filter((path) => /(^|\/)(utils?|helpers?|common|misc|types|manager)\.(ts|c|h)$/.test(path))
  expect(drawers).toEqual([])
})

test.each(['runtime', 'shim'])(
  'the README of %s gives each file its place, and no place to a file that is not there',
  (folder) => {
    const list = /^## Files$(.*?)^## /ms.exec(read(`${folder}/README.md`))?.[1] ?? ''
    const places = [...list.matchAll(/^\|([^|]+)\|/gm)]
      .flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)])
      .map(([, place = '']) => place)
    const files = tracked
      .filter((path) => path.startsWith(`${folder}/`) && /\.([chS]|ts)$/.test(path) && !path.includes('/include/'))
      .map((path) => path.replace(/^[^/]+\/((lib|command)\/)?/, '').replace(/\.\w+$/, ''))
    const has = (place: string, file: string): boolean =>
      place.endsWith('*') ? file.startsWith(place.slice(0, -1)) : file === place
    expect(files.filter((file) => !places.some((place) => has(place, file)))).toEqual([])
    expect(places.filter((place) => !files.some((file) => has(place, file)))).toEqual([])
  },
)

test('CONTRIBUTING explains every script of package.json', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const text = read('.github/CONTRIBUTING.md')
  const missing = Object.keys(scripts).filter((name) => !new RegExp(`\\bnpm (run )?${name}(?![:\\w])`).test(text))
  expect(missing).toEqual([])
})

test('tests get the docker CLI from test/support/dockerd.ts: a machine may have none', () => {
  const bare = sources
    .filter((path) => path.startsWith('test/') && path !== 'test/support/dockerd.ts')
    .filter((path) => /(\(|\(\[|= \[)'docker',/.test(read(path)))
  expect(bare).toEqual([])
})

test('every file that stands in the tree has its room', () => {
  const rooms = ['src', 'shim', 'runtime', 'images', 'cli', 'test', '.ci', '.config', '.changes', '.github']
  const files = [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'README.md',
    'LICENSE',
    '.clang-format',
    '.editorconfig',
    '.gitignore',
    '.gitattributes',
    '.nvmrc',
  ]
  const strays = tracked.filter((path) => !rooms.includes(path.split('/')[0] ?? '') && !files.includes(path))
  expect(strays).toEqual([])
})

describe('the rules themselves', () => {
  const named = (alias: string): Layer => layers.find((layer) => layer.alias === alias) as Layer
  test.each([
    ['#base', '#oci/reference.ts', false],
    ['#containers', '#api/server.ts', false],
    ['#containers', '#contract/versions.ts', false],
    ['#network', '#images/store/image.ts', false],
    ['#network', '#volumes/volume.ts', false],
    ['#cli', '#engine/engine.ts', false],
    ['#cli', '#oci/manifest.ts', false],
    ['#api', '#containers/container.ts', false],
    ['#runtime', '#shim/client.ts', false],
  ])('%s may not import %s', (alias, specifier, typeOnly) => {
    expect(importProblem(named(alias), specifier, typeOnly)).toBeDefined()
  })

  test.each([
    ['#shim', '#runtime/socket.ts', false],
    ['#containers', '#network/network.ts', false],
    ['#api', '#containers/container.ts', true],
    ['#cli', '#oci/reference.ts', false],
  ])('%s may import %s', (alias, specifier, typeOnly) => {
    expect(importProblem(named(alias), specifier, typeOnly)).toBeUndefined()
  })

  test('imports are found in every form and only where they are code', () => {
    const source = [
      "import { a } from '#x/a.ts'",
      "import type { B } from '#x/b.ts'",
      "import { type C, type D } from '#x/c.ts'",
      "export { e } from './e.ts'",
      "const f = await import('#x/f.ts')",
      "// import { g } from '#x/g.ts'",
      "import './h.ts'",
    ].join('\n')
    expect(importsOf(source)).toEqual([
      { specifier: '#x/a.ts', typeOnly: false },
      { specifier: '#x/b.ts', typeOnly: true },
      { specifier: '#x/c.ts', typeOnly: true },
      { specifier: './e.ts', typeOnly: false },
      { specifier: './h.ts', typeOnly: false },
      { specifier: '#x/f.ts', typeOnly: false },
    ])
  })

  test('a cycle is found and named', () => {
    expect(
      cycles(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['a']],
        ]),
      ),
    ).toEqual(['a → b → c → a'])
  })
})
