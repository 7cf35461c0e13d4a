import { invalid } from '#base/errors.ts'
import { decodeExecCreateRequest, decodeExecStartRequest } from '#contract/validate.gen.ts'
import type { ExecView } from '#engine/engine.ts'
import { type Route, route } from '../call.ts'
import { parseConsoleSize, parseSize } from '../parse/terminal-size.ts'
import { presentExec } from '../present/exec.ts'
import { created, empty, hijack, json } from '../reply.ts'

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

  route('POST /exec/{id}/start', async ({ path, body }, engine) => {
    const request = (await body(decodeExecStartRequest)) ?? {}
    const view = engine.containers.execInspect(path.id)
    const consoleSize = parseConsoleSize(request.ConsoleSize)
    const start = (detach: boolean) =>
      engine.containers.execStart(path.id, { detach, tty: request.Tty ?? false, consoleSize })
    if (request.Detach) {
      await start(true)
      return empty(200)
    }
    const { tty, attachStdin } = view.request
    return hijack(async () => (await start(attachesNothing(view)))?.stream, {
      framed: !tty,
      stdin: attachStdin,
      named: true,
    })
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
