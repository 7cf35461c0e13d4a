import { readFile, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

/**
 * Shell functions for `cgroup2-vm`. V8's compiling threads trip over each other on emulated processors: a start in ten ended in
 * a failed check of V8, or a segmentation fault; without them it is rare. That the emulated processor ended Node is not a
 * daemon's fault: `start_daemon ARGUMENT...` then starts it again, each time with less of V8 that makes machine code, and tells
 * what it said. It leaves the pid in $daemon and the log in /run/log.
 * @param program src/main.ts, bundled
 */
export const startDaemon = (program: string): string => `
start_daemon() {
  for flags in '' '--no-opt --no-maglev' '--no-opt --no-maglev --no-sparkplug --regexp-interpret-all'; do
    '${process.execPath}' --single-threaded $flags '${program}' daemon "$@" >/run/log 2>&1 &
    daemon=$!
    until grep -q 'berth is ready' /run/log || ! kill -0 $daemon 2>/dev/null; do sleep 0.2; done
    if grep -q 'berth is ready' /run/log; then return; fi
    wait $daemon
    echo "daemon ended at its start: $?"
    tail -n 40 /run/log
  done
}`

/** Node for programs that can be run once only: with nothing in it that has ended early on an emulated processor. */
export const emulatedNode = `'${process.execPath}' --single-threaded --no-opt --no-maglev --no-sparkplug --regexp-interpret-all`

const repository = join(import.meta.dirname, '../..')

/** A program of this tree in one file: emulated Node starts it in a sixth of the time.   @param entry below the tree */
export async function bundleForEmulation(entry: string): Promise<AsyncDisposable & { readonly path: string }> {
  // Inside of the tree, where Node finds koffi.
  const path = join(repository, 'build/test', `${basename(entry, '.ts')}-${process.pid}.mjs`)
  await build({
    absWorkingDir: repository,
    entryPoints: [entry],
    outfile: path,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    external: ['koffi'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [knowingTheirPlaces],
    logLevel: 'warning',
  })
  return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

const knowingTheirPlaces: Plugin = {
  name: 'knowing-their-places',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8'))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    })),
}
