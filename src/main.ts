/** One executable, several commands: `daemon` and `runtime` are dispatched here, everything else is the client. All are loaded when needed. */
async function run(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv
  if (command === 'daemon') {
    const [{ main }, { openNatives, removeOtherNatives }] = await Promise.all([
      import('#daemon/main.ts'),
      import('./packaging/native-assets.ts'),
    ])
    return main(rest, { openNatives, removeOtherNatives })
  }
  if (command === 'runtime' && rest[0] === '--install')
    return (await import('./packaging/install-runtime.ts')).installRuntime(rest.slice(1))
  if (command === 'runtime') return (await import('./packaging/exec-runtime.ts')).execRuntime(rest)
  const { main } = await import('#cli/main.ts')
  return main(argv)
}

process.exitCode = await run(process.argv.slice(2))
