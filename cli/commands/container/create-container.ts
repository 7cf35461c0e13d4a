import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { conflict, invalid, isKind } from '#base/errors.ts'
import type { ContainerCreateResponse } from '#contract/types.gen.ts'
import { familiarReference, parseReference, withDefaultTag } from '#oci/reference.ts'
import type { Cli } from '../../cli.ts'
import { createContainer } from '../../client/containers.ts'
import type { CreateBody } from '../../client/wire.ts'
import { withProxies } from '../../config/proxies.ts'
import { ExitError } from '../../exit-error.ts'
import { toCreateBody } from '../../options/container-config.ts'
import type { ContainerFlags } from '../../options/container-flags.ts'
import { platformOf, pullImage } from '../image/pull-image.ts'

export interface ContainerInput {
  readonly flags: ContainerFlags
  readonly given: ReadonlySet<string>
  readonly args: readonly string[]
}

/** The command line as a create request; whatever is wrong with it ends with 125 and the way to help. */
export async function toRequest(
  cli: Cli,
  { flags, given, args }: ContainerInput,
  verb: 'run' | 'create',
): Promise<CreateBody> {
  const [image = '', ...command] = args
  try {
    if (!['always', 'missing', 'never'].includes(flags.pull)) {
      throw invalid(`invalid pull option: '${flags.pull}': must be one of "always", "missing" or "never"`)
    }
    const read = (path: string): string => readFileSync(path, 'utf8')
    const asked = toCreateBody(
      { flags, given, image, command },
      { environment: cli.env, directory: cli.directory, read },
    )
    const body = { ...asked, Env: withProxies(asked.Env ?? [], await cli.config(), cli.client.address.text) }
    if (!body.Tty || !cli.stdout.isTerminal) return body
    return { ...body, HostConfig: { ...body.HostConfig, ConsoleSize: [cli.stdout.rows, cli.stdout.columns] } }
  } catch (error) {
    throw withHelp(cli, error, verb, 125)
  }
}

/** `docker: <message>` and where help is. */
export function withHelp(cli: Cli, error: unknown, verb: string, status: number): ExitError {
  const message = error instanceof Error ? error.message : String(error)
  const help = `Run '${cli.program} ${verb} --help' for more information`
  return new ExitError(status, `${cli.program}: ${message}\n\n${help}`, error)
}

/** Creates the container, pulling a missing image first as `--pull` says.   @returns its id */
export async function createFromImage(cli: Cli, body: CreateBody, flags: ContainerFlags): Promise<string> {
  refuseExisting(flags.cidFile)
  if (flags.pull === 'always') await pullFor(cli, body, flags)
  const created = await create(cli, body, flags)
  for (const warning of created.Warnings ?? []) await cli.stderr.write(`WARNING: ${warning}\n`)
  if (flags.cidFile !== '') writeFileSync(flags.cidFile, created.Id, { flag: 'wx', mode: 0o666 })
  return created.Id
}

async function create(cli: Cli, body: CreateBody, flags: ContainerFlags): Promise<ContainerCreateResponse> {
  const where = { name: flags.name, platform: platformOf(cli, flags.platform) }
  try {
    return await createContainer(cli.client, body, where)
  } catch (error) {
    // 404 also tells of a missing network or container; only an image can be pulled.
    if (!isKind(error, 'not-found') || flags.pull !== 'missing' || !/no such image/i.test(error.message)) throw error
    const name = familiarReference(withDefaultTag(parseReference(body.Image)))
    if (!flags.quiet) await cli.stderr.write(`Unable to find image '${name}' locally\n`)
  }
  await pullFor(cli, body, flags)
  return await createContainer(cli.client, body, where)
}

async function pullFor(cli: Cli, { Image }: CreateBody, { platform, quiet }: ContainerFlags): Promise<void> {
  await pullImage(cli, Image, { platform, progress: quiet ? undefined : cli.stderr })
}

function refuseExisting(path: string): void {
  if (path === '' || !existsSync(path)) return
  throw conflict(`container ID file found, make sure the other container isn't running or delete ${path}`)
}
