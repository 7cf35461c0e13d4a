import type { Command } from './command.ts'

/** A command as people type it. Its file is loaded only when it runs: reading all of them would double the start-up time. */
export interface Entry {
  /** Behind the program's name, the first one leading in help; a single word is the short spelling. */
  readonly spellings: readonly string[]
  readonly summary: string
  load(): Promise<Command>
}

const entry = (spellings: string, summary: string, load: () => Promise<Command>): Entry => ({
  spellings: spellings.split(', '),
  summary,
  load,
})

export const groups: Readonly<Record<string, string>> = {
  container: 'Manage containers',
  image: 'Manage images',
  system: 'Manage the engine',
}

/** Shown first in help, in this order. */
export const commonCommands = ['run', 'exec', 'ps', 'pull', 'images', 'version', 'info']

export const catalog: readonly Entry[] = [
  entry(
    'container attach, attach',
    'Attach local standard input, output, and error streams to a running container',
    async () => (await import('./commands/container/attach.ts')).attachCommand,
  ),
  entry(
    'container create, create',
    'Create a new container',
    async () => (await import('./commands/container/create.ts')).createCommand,
  ),
  entry(
    'container exec, exec',
    'Execute a command in a running container',
    async () => (await import('./commands/container/exec.ts')).execCommand,
  ),
  entry(
    'container inspect',
    'Display detailed information on one or more containers',
    async () => (await import('./commands/container/inspect.ts')).inspectCommand,
  ),
  entry(
    'container kill, kill',
    'Kill one or more running containers',
    async () => (await import('./commands/container/kill.ts')).killCommand,
  ),
  entry(
    'container logs, logs',
    'Fetch the logs of a container',
    async () => (await import('./commands/container/logs.ts')).logsCommand,
  ),
  entry(
    'container ls, container list, container ps, ps',
    'List containers',
    async () => (await import('./commands/container/ps.ts')).psCommand,
  ),
  entry(
    'container pause, pause',
    'Pause all processes within one or more containers',
    async () => (await import('./commands/container/pause.ts')).pauseCommand,
  ),
  entry(
    'container rename, rename',
    'Rename a container',
    async () => (await import('./commands/container/rename.ts')).renameCommand,
  ),
  entry(
    'container restart, restart',
    'Restart one or more containers',
    async () => (await import('./commands/container/restart.ts')).restartCommand,
  ),
  entry(
    'container rm, container remove, rm',
    'Remove one or more containers',
    async () => (await import('./commands/container/rm.ts')).rmCommand,
  ),
  entry(
    'container run, run',
    'Create and run a new container from an image',
    async () => (await import('./commands/container/run.ts')).runCommand,
  ),
  entry(
    'container start, start',
    'Start one or more stopped containers',
    async () => (await import('./commands/container/start.ts')).startCommand,
  ),
  entry(
    'container stop, stop',
    'Stop one or more running containers',
    async () => (await import('./commands/container/stop.ts')).stopCommand,
  ),
  entry(
    'container top, top',
    'Display the running processes of a container',
    async () => (await import('./commands/container/top.ts')).topCommand,
  ),
  entry(
    'container unpause, unpause',
    'Unpause all processes within one or more containers',
    async () => (await import('./commands/container/unpause.ts')).unpauseCommand,
  ),
  entry(
    'container wait, wait',
    'Block until one or more containers stop, then print their exit codes',
    async () => (await import('./commands/container/wait.ts')).waitCommand,
  ),
  entry(
    'image history, history',
    'Show the history of an image',
    async () => (await import('./commands/image/history.ts')).historyCommand,
  ),
  entry(
    'image inspect',
    'Display detailed information on one or more images',
    async () => (await import('./commands/image/inspect.ts')).inspectCommand,
  ),
  entry(
    'image ls, image list, images',
    'List images',
    async () => (await import('./commands/image/images.ts')).imagesCommand,
  ),
  entry(
    'image pull, pull',
    'Download an image from a registry',
    async () => (await import('./commands/image/pull.ts')).pullCommand,
  ),
  entry(
    'image rm, image remove, rmi',
    'Remove one or more images',
    async () => (await import('./commands/image/rmi.ts')).rmiCommand,
  ),
  entry(
    'image tag, tag',
    'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    async () => (await import('./commands/image/tag.ts')).tagCommand,
  ),
  entry(
    'system dial-stdio',
    'Proxy the stdio stream to the daemon connection',
    async () => (await import('./commands/system/dial-stdio.ts')).dialStdioCommand,
  ),
  entry(
    'system events, events',
    'Get real time events from the server',
    async () => (await import('./commands/system/events.ts')).eventsCommand,
  ),
  entry(
    'system info, info',
    'Display system-wide information',
    async () => (await import('./commands/system/info.ts')).infoCommand,
  ),
  entry(
    'inspect',
    'Return low-level information on objects of the engine',
    async () => (await import('./commands/system/inspect.ts')).inspectCommand,
  ),
  entry(
    'version',
    'Show the version information of client and engine',
    async () => (await import('./commands/system/version.ts')).versionCommand,
  ),
]

/** The command that the words begin with, and how many of them it took. */
export function findEntry(words: readonly string[]): { readonly entry: Entry; readonly used: number } | undefined {
  const [first = '', second = ''] = words
  const used = Object.hasOwn(groups, first) ? 2 : 1
  const spelled = used === 2 ? `${first} ${second}` : first
  const entry = catalog.find(({ spellings }) => spellings.includes(spelled))
  return entry && { entry, used }
}
