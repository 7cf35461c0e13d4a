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
  completion: 'Complete command lines in a shell',
  container: 'Work with containers',
  context: 'Work with contexts: engines that have a name',
  image: 'Work with images',
  network: 'Work with networks',
  system: 'Work with the engine',
  volume: 'Work with volumes',
}

/** Shown first in help, in this order. */
export const commonCommands = ['run', 'exec', 'ps', 'pull', 'images', 'version', 'info']

export const catalog: readonly Entry[] = [
  entry(
    'completion bash',
    'Print what bash reads to complete command lines',
    async () => (await import('./commands/completion/script.ts')).bashCommand,
  ),
  entry(
    'completion fish',
    'Print what fish reads to complete command lines',
    async () => (await import('./commands/completion/script.ts')).fishCommand,
  ),
  entry(
    'completion zsh',
    'Print what zsh reads to complete command lines',
    async () => (await import('./commands/completion/script.ts')).zshCommand,
  ),
  entry(
    'container attach, attach',
    'Connect this terminal to a running container',
    async () => (await import('./commands/container/attach.ts')).attachCommand,
  ),
  entry(
    'container commit, commit',
    'Make an image of a container',
    async () => (await import('./commands/container/commit.ts')).commitCommand,
  ),
  entry(
    'container cp, cp',
    'Copy files from and to containers',
    async () => (await import('./commands/container/cp.ts')).cpCommand,
  ),
  entry(
    'container create, create',
    'Make a container without starting it',
    async () => (await import('./commands/container/create.ts')).createCommand,
  ),
  entry(
    'container diff, diff',
    'List the files that a container has changed',
    async () => (await import('./commands/container/diff.ts')).diffCommand,
  ),
  entry(
    'container exec, exec',
    'Run a further command in a running container',
    async () => (await import('./commands/container/exec.ts')).execCommand,
  ),
  entry(
    'container export, export',
    'Write the files of a container as a tar archive',
    async () => (await import('./commands/container/export.ts')).exportCommand,
  ),
  entry(
    'container inspect',
    'Show everything known of containers',
    async () => (await import('./commands/container/inspect.ts')).inspectCommand,
  ),
  entry(
    'container kill, kill',
    'Send containers a signal, SIGKILL by default',
    async () => (await import('./commands/container/kill.ts')).killCommand,
  ),
  entry(
    'container logs, logs',
    'Show what a container has written',
    async () => (await import('./commands/container/logs.ts')).logsCommand,
  ),
  entry(
    'container ls, container list, container ps, ps',
    'List containers',
    async () => (await import('./commands/container/ps.ts')).psCommand,
  ),
  entry(
    'container pause, pause',
    'Freeze containers',
    async () => (await import('./commands/container/pause.ts')).pauseCommand,
  ),
  entry(
    'container port, port',
    'List the ports of a container',
    async () => (await import('./commands/container/port.ts')).portCommand,
  ),
  entry(
    'container prune',
    'Remove all containers that do not run',
    async () => (await import('./commands/container/prune.ts')).pruneCommand,
  ),
  entry(
    'container rename, rename',
    'Give a container another name',
    async () => (await import('./commands/container/rename.ts')).renameCommand,
  ),
  entry(
    'container restart, restart',
    'Stop containers and start them again',
    async () => (await import('./commands/container/restart.ts')).restartCommand,
  ),
  entry(
    'container rm, container remove, rm',
    'Remove containers',
    async () => (await import('./commands/container/rm.ts')).rmCommand,
  ),
  entry(
    'container run, run',
    'Make a container of an image and run it',
    async () => (await import('./commands/container/run.ts')).runCommand,
  ),
  entry(
    'container start, start',
    'Start containers that are stopped',
    async () => (await import('./commands/container/start.ts')).startCommand,
  ),
  entry(
    'container stats, stats',
    'Show what containers use, as it changes',
    async () => (await import('./commands/container/stats.ts')).statsCommand,
  ),
  entry(
    'container stop, stop',
    'Ask containers to end, then make them',
    async () => (await import('./commands/container/stop.ts')).stopCommand,
  ),
  entry(
    'container top, top',
    'Show the processes of a container',
    async () => (await import('./commands/container/top.ts')).topCommand,
  ),
  entry(
    'container unpause, unpause',
    'Let frozen containers go on',
    async () => (await import('./commands/container/unpause.ts')).unpauseCommand,
  ),
  entry(
    'container update, update',
    'Change limits and restart policies of containers',
    async () => (await import('./commands/container/update.ts')).updateCommand,
  ),
  entry(
    'container wait, wait',
    'Wait for containers to end and print their exit status',
    async () => (await import('./commands/container/wait.ts')).waitCommand,
  ),
  entry('context create', 'Make a context', async () => (await import('./commands/context/create.ts')).createCommand),
  entry(
    'context export',
    'Write a context into a tar archive',
    async () => (await import('./commands/context/export.ts')).exportCommand,
  ),
  entry(
    'context import',
    'Make a context of a tar archive that "context export" has written',
    async () => (await import('./commands/context/import.ts')).importCommand,
  ),
  entry(
    'context inspect',
    'Show everything known of contexts',
    async () => (await import('./commands/context/inspect.ts')).inspectCommand,
  ),
  entry('context ls, context list', 'List contexts', async () => (await import('./commands/context/ls.ts')).lsCommand),
  entry(
    'context rm, context remove',
    'Remove contexts',
    async () => (await import('./commands/context/rm.ts')).rmCommand,
  ),
  entry(
    'context show',
    'Print the name of the context in use',
    async () => (await import('./commands/context/show.ts')).showCommand,
  ),
  entry('context update', 'Change a context', async () => (await import('./commands/context/update.ts')).updateCommand),
  entry(
    'context use',
    'Keep the context that is used where none is named',
    async () => (await import('./commands/context/use.ts')).useCommand,
  ),
  entry(
    'image history, history',
    'Show how an image was made',
    async () => (await import('./commands/image/history.ts')).historyCommand,
  ),
  entry(
    'image import, import',
    'Make an image from a tar archive of its files',
    async () => (await import('./commands/image/import.ts')).importCommand,
  ),
  entry(
    'image inspect',
    'Show everything known of images',
    async () => (await import('./commands/image/inspect.ts')).inspectCommand,
  ),
  entry(
    'image ls, image list, images',
    'List images',
    async () => (await import('./commands/image/images.ts')).imagesCommand,
  ),
  entry(
    'image prune',
    'Remove images that nothing uses',
    async () => (await import('./commands/image/prune.ts')).pruneCommand,
  ),
  entry(
    'image pull, pull',
    'Fetch an image from a registry',
    async () => (await import('./commands/image/pull.ts')).pullCommand,
  ),
  entry(
    'image push, push',
    'Send an image to a registry',
    async () => (await import('./commands/image/push.ts')).pushCommand,
  ),
  entry(
    'image rm, image remove, rmi',
    'Remove images, or names of images',
    async () => (await import('./commands/image/rmi.ts')).rmiCommand,
  ),
  entry(
    'image load, load',
    'Take images from a tar archive',
    async () => (await import('./commands/image/load.ts')).loadCommand,
  ),
  entry(
    'image save, save',
    'Write images into a tar archive',
    async () => (await import('./commands/image/save.ts')).saveCommand,
  ),
  entry(
    'search',
    'Look for images in the index of a registry',
    async () => (await import('./commands/image/search.ts')).searchCommand,
  ),
  entry(
    'image tag, tag',
    'Give an image a further name',
    async () => (await import('./commands/image/tag.ts')).tagCommand,
  ),
  entry(
    'login',
    'Show a registry who you are, and keep it for pulls',
    async () => (await import('./commands/registry/login.ts')).loginCommand,
  ),
  entry(
    'logout',
    'Forget the credentials of a registry',
    async () => (await import('./commands/registry/logout.ts')).logoutCommand,
  ),
  entry(
    'network connect',
    'Connect a container to a network',
    async () => (await import('./commands/network/connect.ts')).connectCommand,
  ),
  entry('network create', 'Make a network', async () => (await import('./commands/network/create.ts')).createCommand),
  entry(
    'network disconnect',
    'Disconnect a container from a network',
    async () => (await import('./commands/network/disconnect.ts')).disconnectCommand,
  ),
  entry(
    'network inspect',
    'Show everything known of networks',
    async () => (await import('./commands/network/inspect.ts')).inspectCommand,
  ),
  entry('network ls, network list', 'List networks', async () => (await import('./commands/network/ls.ts')).lsCommand),
  entry(
    'network prune',
    'Remove networks that no running container uses',
    async () => (await import('./commands/network/prune.ts')).pruneCommand,
  ),
  entry(
    'network rm, network remove',
    'Remove networks',
    async () => (await import('./commands/network/rm.ts')).rmCommand,
  ),
  entry(
    'system check',
    'Check images and layers on the disk, and mend them',
    async () => (await import('./commands/system/check.ts')).checkCommand,
  ),
  entry('system df', 'Show what takes the disk', async () => (await import('./commands/system/df.ts')).dfCommand),
  entry(
    'system dial-stdio',
    "Connect standard streams with the engine's socket",
    async () => (await import('./commands/system/dial-stdio.ts')).dialStdioCommand,
  ),
  entry(
    'system events, events',
    'Show what happens in the engine, as it happens',
    async () => (await import('./commands/system/events.ts')).eventsCommand,
  ),
  entry(
    'system info, info',
    'Show what the engine has and can',
    async () => (await import('./commands/system/info.ts')).infoCommand,
  ),
  entry(
    'system prune',
    'Remove everything that nothing uses',
    async () => (await import('./commands/system/prune.ts')).pruneCommand,
  ),
  entry(
    'inspect',
    'Show everything known of containers, images, networks, volumes',
    async () => (await import('./commands/system/inspect.ts')).inspectCommand,
  ),
  entry('volume create', 'Make a volume', async () => (await import('./commands/volume/create.ts')).createCommand),
  entry(
    'volume inspect',
    'Show everything known of volumes',
    async () => (await import('./commands/volume/inspect.ts')).inspectCommand,
  ),
  entry('volume ls, volume list', 'List volumes', async () => (await import('./commands/volume/ls.ts')).lsCommand),
  entry(
    'volume prune',
    'Remove local volumes that no container has',
    async () => (await import('./commands/volume/prune.ts')).pruneCommand,
  ),
  entry(
    'volume rm, volume remove',
    'Remove volumes that no container has',
    async () => (await import('./commands/volume/rm.ts')).rmCommand,
  ),
  entry(
    'version',
    'Show the versions of client and engine',
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
