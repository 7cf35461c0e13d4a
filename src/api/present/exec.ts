import type { ExecInspect } from '#contract/types.gen.ts'
import type { ExecView } from '#engine/engine.ts'

export function presentExec({ id, containerId, request, running, exitCode, pid, ...command }: ExecView): ExecInspect {
  return {
    ID: id,
    Running: running,
    ExitCode: exitCode,
    ProcessConfig: {
      tty: request.tty,
      entrypoint: command.entrypoint,
      arguments: command.arguments,
      privileged: request.privileged,
      ...(request.user !== '' && { user: request.user }),
    },
    OpenStdin: request.attachStdin,
    OpenStderr: request.attachStderr,
    OpenStdout: request.attachStdout,
    // Docker's own sweep sets it, minutes after the end; an exec that is swept here is gone.
    CanRemove: false,
    ContainerID: containerId,
    DetachKeys: request.detachKeys,
    Pid: pid,
  }
}
