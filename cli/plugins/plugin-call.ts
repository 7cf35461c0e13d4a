import type { Contexts } from '../contexts/current.ts'

/** How a plugin is started in our place. */
export interface PluginCall {
  readonly name: string
  /** All words behind our own name: a plugin reads the global options itself. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Words that stand before a command's name. */
export const aside = ['help', '__complete', '__completeNoDesc']

type Environment = Readonly<Record<string, string | undefined>>

/** The plugin that the words ask for, by its name or as the builder.   @param args without the global options */
export function pluginCall(
  argv: readonly string[],
  args: readonly string[],
  { contexts, env, program }: { readonly contexts: Contexts; readonly env: Environment; readonly program: string },
): PluginCall {
  const globals = argv.slice(0, argv.length - args.length)
  const built = asBuilder(args)
  const words = built ?? args
  const [first = '', second = ''] = words
  const builder = built && !namesBuilder(args, env) ? { BUILDX_BUILDER: contexts.current } : {}
  return {
    name: aside.includes(first) ? second : first,
    argv: [...globals, ...words],
    env: { ...engineFor(contexts), ...builder, DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: program },
  }
}

/** `build`, `image build` and `builder` are buildx. */
function asBuilder(args: readonly string[]): string[] | undefined {
  const [first, second] = args
  if (first === 'builder') return ['buildx', ...args.slice(1)]
  if (first === 'build') return ['buildx', 'build', ...args.slice(1)]
  if (first === 'image' && second === 'build') return ['buildx', 'build', ...args.slice(2)]
  return undefined
}

function namesBuilder(args: readonly string[], env: Environment): boolean {
  return Boolean(env.BUILDX_BUILDER) || args.some((word) => word === '--builder' || word.startsWith('--builder='))
}

/** Plugins know docker's standard socket, not ours. What names an engine by itself is left to them. */
function engineFor(contexts: Contexts): Record<string, string> {
  const host = contexts.unnamedHost
  return host === undefined ? {} : { DOCKER_HOST: host }
}
