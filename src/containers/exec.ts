import { conflict, invalid, messageOf } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { frame } from './attach.ts'
import { AttachStream } from './attach-stream.ts'
import type { Container } from './container.ts'
import { publish } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { DetachScanner, parseDetachKeys } from './detach-keys.ts'
import { runExec } from './exec-run.ts'
import { type Exec, end, newExec } from './exec-table.ts'
import { isAlive } from './lifecycle.ts'
import { prepareOtherExec } from './other-runtime.ts'
import { settledTaskOf } from './pause.ts'
import type { ShimHandle } from './ports.ts'
import type { AttachedStream, ExecRequest } from './requests.ts'
import { LayerView } from './spec/layer-view.ts'
import { execProcess } from './spec/process.ts'
import { withProcessDefaults } from './spec/process-defaults.ts'
import { type ResolvedUser, resolveUser, userFileLimit } from './spec/user.ts'
import { toExecFailure } from './start-error.ts'

/** @throws `conflict` in Docker's words when the container cannot run another process, `invalid` for a user that it does not know */
export function execCreate(context: ContainerContext, name: string, request: ExecRequest): { id: string } {
  const container = context.store.get(name)
  checkRuns(container, name)
  const id = newId()
  addExec(context, container, { id, request })
  return { id }
}

/** The same for an id that the caller has chosen. */
export function addExec(
  context: ContainerContext,
  container: Container,
  { id, request }: { readonly id: string; readonly request: ExecRequest },
): void {
  if (request.cmd.length === 0) throw invalid('No exec command specified')
  parseDetachKeys(request.detachKeys)
  userOf(context, container, request)
  context.execs.add(newExec(id, container.id, request))
  publish(context, container, `exec_create: ${commandLine(request)}`, { execID: id })
}

/** As events have it: a space follows the program, arguments or not. */
function commandLine({ cmd: [program, ...args] }: ExecRequest): string {
  return `${program} ${args.join(' ')}`
}

export interface ExecStartOptions {
  readonly detach: boolean
  readonly tty: boolean
  readonly consoleSize: readonly [height: number, width: number] | undefined
  /** For a health check: its output comes without frames, and a command that cannot run throws. */
  readonly isProbe?: boolean
}

/**
 * Starts the exec. A command that cannot run is told on its own stream, as dockerd does, and by its exit code; without a stream it throws.
 * @throws `not-found`, `conflict`
 */
export async function execStart(
  context: ContainerContext,
  name: string,
  { detach, consoleSize, isProbe = false }: ExecStartOptions,
): Promise<AttachedStream | undefined> {
  const exec = context.execs.get(name)
  if (exec.state === 'ended') throw conflict(`exec command ${exec.id} has already run`)
  if (exec.state !== 'created') throw conflict(`exec command ${exec.id} is already running`)
  const container = context.store.get(exec.containerId)
  checkRuns(container)
  exec.state = 'starting'
  const { shim } = await settledTaskOf(context, container.id).catch((error: unknown) => {
    exec.state = 'created'
    throw error
  })
  publish(context, container, `exec_start: ${commandLine(exec.request)}`, { execID: exec.id })
  const stream = detach ? undefined : openStream(context, container, exec)
  try {
    await run(context, container, { shim, exec, stream, consoleSize, framed: !exec.request.tty && !isProbe })
  } catch (cause) {
    const { exitCode, error } = toExecFailure(cause)
    end(exec, exitCode)
    if (isProbe) stream?.destroy()
    if (!stream || isProbe) throw error
    const text = Buffer.from(`${messageOf(error)}\r\n`)
    stream.replay(exec.request.tty ? text : frame('stdout', text))
    stream.finish()
  }
  return stream && { stream, tty: exec.request.tty }
}

interface Run {
  readonly shim: ShimHandle
  readonly exec: Exec
  readonly stream: AttachStream | undefined
  readonly consoleSize: readonly [height: number, width: number] | undefined
  readonly framed: boolean
}

async function run(
  context: ContainerContext,
  container: Container,
  { shim, exec, stream, consoleSize, framed }: Run,
): Promise<void> {
  const request: ExecRequest = { ...exec.request, consoleSize: consoleSize ?? exec.request.consoleSize }
  const { attachStdin: stdin, attachStdout: stdout, attachStderr: stderr } = request
  const planFd = await compile(context, container, { execId: exec.id, request })
  const running = runExec(shim, exec.id, planFd, {
    async connect(pid) {
      exec.pid = pid
      if (stream) stream.connect(await shim.attach(exec.id, { stdin, stdout, stderr, framed }))
      if (!stream || !stdin) await shim.closeStdin(exec.id)
    },
    // The exit may be told before the answer to the start.
    beforeStart() {
      exec.state = 'running'
    },
  })
  await running.finally(() => context.plans.close(planFd))
}

interface Compilation {
  readonly execId: string
  readonly request: ExecRequest
}

async function compile(
  context: ContainerContext,
  container: Container,
  { execId, request }: Compilation,
): Promise<number> {
  const user = userOf(context, container, request)
  const limited = withProcessDefaults(container, context.processDefaults)
  const host = request.privileged ? { ...limited.host, privileged: true } : limited.host
  const filter = await context.seccomp.of(host)
  // As with Docker a privileged exec stays under the profile of its container.
  const apparmorProfile = await context.appArmor.of(container.host)
  const process = execProcess(limited, request, { user, apparmorProfile })
  await prepareOtherExec(context, container, execId, process)
  return context.plans.compile(process, undefined, filter)
}

/** @throws `invalid` in Docker's words for names that the container's files do not have */
function userOf(context: ContainerContext, container: Container, request: ExecRequest): ResolvedUser {
  const view = new LayerView(context.snapshots.mounts(container.id), context.layerMarks)
  const files = {
    passwd: view.readText('/etc/passwd', userFileLimit),
    group: view.readText('/etc/group', userFileLimit),
  }
  return resolveUser(request.user === '' ? container.config.user : request.user, container.host.groupAdd, files)
}

function openStream(context: ContainerContext, container: Container, { request, ended }: Exec): AttachStream {
  const scanner =
    request.tty && request.attachStdin ? new DetachScanner(parseDetachKeys(request.detachKeys)) : undefined
  return new AttachStream({
    scanner,
    onDetach: () => publish(context, container, 'exec_detach'),
    // Clients ask for the exit code as soon as the output ends.
    endsAfter: ended.promise,
  })
}

/** @param name as the caller knows it */
function checkRuns(container: Container, name = container.id): void {
  const { id, state } = container
  if (state.status === 'paused') throw conflict(`Container ${name} is paused, unpause the container before exec`)
  if (state.status === 'restarting') {
    throw conflict(`Container ${id} is restarting, wait until the container is running`)
  }
  if (!isAlive(container)) throw conflict(`container ${id} is not running`)
}

export async function execResize(
  context: ContainerContext,
  name: string,
  size: readonly [rows: number, columns: number],
): Promise<void> {
  const exec = context.execs.get(name)
  if (exec.state !== 'running' && exec.state !== 'starting') throw conflict(`exec ${exec.id} is not running`)
  if (!exec.request.tty) return
  await (await settledTaskOf(context, exec.containerId)).shim.resize(exec.id, ...size)
}

/** @throws `conflict` in Docker's words when it does not run */
export async function resize(
  context: ContainerContext,
  name: string,
  [rows, columns]: readonly [number, number],
): Promise<void> {
  const container = context.store.get(name)
  if (!isAlive(container)) throw conflict(`container ${container.id} is not running`)
  // A process without a terminal has no size to set; clients that set one anyway are not to fail.
  if (!container.config.tty) return
  await (await settledTaskOf(context, container.id)).shim.resize('', rows, columns)
  publish(context, container, 'resize', { height: String(rows), width: String(columns) })
}
