import { join } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'

/** The asset that holds the daemon's code: a CommonJS function body. */
export const daemonAsset = 'daemon.cjs'

const shared = {
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node26',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  charset: 'utf8',
  // The binary loads the addon itself; see native-assets.ts.
  external: ['koffi'],
  logLevel: 'warning',
} as const satisfies BuildOptions

export interface Bundles {
  /** ESM: the dispatcher and the command line. */
  readonly main: string
  /** CommonJS: everything that only `berth daemon` needs, so that no other command has to read it. */
  readonly daemon: string
}

/** Bundles the sources below `root` (src/main.ts) into two texts; the same sources give the same bytes. */
export async function bundle(root: string, define: Readonly<Record<string, string>>): Promise<Bundles> {
  const main = await build({
    ...shared,
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    format: 'esm',
    define,
    plugins: [daemonFromAsset, builtinsWhenNeeded],
    banner: { js: "const require=process.getBuiltinModule('node:module').createRequire('/');" },
  })
  const daemon = await build({
    ...shared,
    absWorkingDir: root,
    entryPoints: [join('src', 'daemon', 'main.ts')],
    format: 'cjs',
    define: { ...define, 'import.meta.dirname': '""', 'import.meta.url': '"file:///"' },
  })
  return { main: textOf(main.outputFiles), daemon: textOf(daemon.outputFiles) }
}

/**
 * Loads Node's own modules where the code that imports them first runs. As imports of the bundle they would all be loaded at
 * every start, and their ESM faces made, which alone takes as long as a whole `berth version`.
 */
const builtinsWhenNeeded: Plugin = {
  name: 'builtins-when-needed',
  setup(builder) {
    builder.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'builtin', sideEffects: false }))
    builder.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
      loader: 'js',
    }))
  },
}

/** Makes `import('#daemon/main.ts')` load the daemon's bundle out of the binary. */
const daemonFromAsset: Plugin = {
  name: 'daemon-from-asset',
  setup(builder) {
    builder.onResolve({ filter: /^#daemon\/main\.ts$/ }, () => ({ path: 'daemon', namespace: 'asset' }))
    builder.onLoad({ filter: /.*/, namespace: 'asset' }, () => ({
      contents: `
        import { createRequire } from 'node:module'
        import { getAsset } from 'node:sea'
        import { compileFunction, constants } from 'node:vm'
        const load = compileFunction(getAsset('${daemonAsset}', 'utf8'), ['exports', 'require', 'module'], {
          filename: 'berth-daemon.cjs',
          importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
        })
        const module = { exports: {} }
        load(module.exports, createRequire('/'), module)
        export const main = module.exports.main`,
      loader: 'js',
      resolveDir: '/',
    }))
  },
}

function textOf(files: readonly { readonly text: string }[] | undefined): string {
  const [file] = files ?? []
  if (!file) throw new Error('the bundler made no output')
  return file.text
}
