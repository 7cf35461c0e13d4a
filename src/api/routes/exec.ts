import { invalid, messageOf } from '#base/errors.ts'
import { decodeExecCreateRequest, decodeExecStartRequest } from '#contract/validate.gen.ts'
import type { ExecView } from '#engine/engine.ts'
import { type Route, route } from '../call.ts'
import { parseConsoleSize, parseSize } from '../parse/terminal-size.ts'
import { presentExec } from '../present/exec.ts'
import { created, empty, hijack, hijackToSay, json } from '../reply.ts'
import { frame } from '../streams/multiplex.ts'

export const execRoutes: readonly Route[] = [
  route('POST /containers/{id}/exec', async ({ path, body }, engine) => {
    const request = (await body(decodeExecCreateRequest)) ?? {}
    if (!request.Cmd || request.Cmd.length === 0) throw invalid('No exec command specified')
    const { id } = await engine.containers.execCreate(path.id, {
      cmd: request.Cmd,
      env: request.Env ?? [],
      user: request.User ?? '',
      workingDir: request.WorkingDir ?? '',
      tty: request.Tty ?? false,
      privileged: request.Privileged ?? false,
      attachStdin: request.AttachStdin ?? false,
      attachStdout: request.AttachStdout ?? false,
      attachStderr: request.AttachStderr ?? false,
      detachKeys: request.DetachKeys ?? '',
      consoleSize: parseConsoleSize(request.ConsoleSize),
    })
    return created({ Id: id })
  }),

  route('POST /exec/{id}/start', async ({ path, body, signal }, engine) => {
    const request = (await body(decodeExecStartRequest)) ?? {}
    const view = engine.containers.execInspect(path.id)
    const tty = request.Tty ?? false
    const consoleSize = parseConsoleSize(request.ConsoleSize)
    const start = (detach: boolean) => engine.containers.execStart(path.id, { detach, tty, consoleSize })
    if (request.Detach) {
      await start(true)
      return empty(200)
    }
    try {
      const attached = await start(attachesNothing(view))
      if (!attached) return hijackToSay(new Uint8Array(0), { framed: !tty })
      if (signal.aborted) attached.stream.destroy()
      return hijack(attached.stream, { framed: !attached.tty, stdin: view.request.attachStdin })
    } catch (error) {
      // Docker has upgraded the connection by now and tells in the stream; the docker CLI prints it and asks for the code.
      const text = Buffer.from(`${messageOf(error)}\r\n`)
      return hijackToSay(tty ? text : frame('stdout', text), { framed: !tty })
    }
  }),

  route('POST /exec/{id}/resize', async ({ path, query }, engine) => {
    const { rows, columns } = parseSize(query.text('h'), query.text('w'))
    await engine.containers.execResize(path.id, rows, columns)
    return empty(200)
  }),

  route('GET /exec/{id}/json', ({ path }, engine) => json(presentExec(engine.containers.execInspect(path.id)))),
]

function attachesNothing({ request }: ExecView): boolean {
  return !request.attachStdin && !request.attachStdout && !request.attachStderr
}
