import { familiarName, familiarReference, parseReference, withDefaultTag } from '#oci/reference.ts'
import type { Cli } from '../../cli.ts'
import { pull } from '../../client/images.ts'
import { encodeAuth, findAuth } from '../../config/credential-helper.ts'
import { showProgress } from '../../output/progress.ts'
import { type Output, silent } from '../../terminal/streams.ts'

export interface PullOptions {
  readonly platform: string
  readonly allTags?: boolean
  /** Where progress goes; undefined for nowhere. */
  readonly progress: Output | undefined
}

/** Pulls `name` (with :latest when it names no tag) with the stored credentials.   @returns the familiar reference */
export async function pullImage(cli: Cli, name: string, { platform, allTags, progress }: PullOptions): Promise<string> {
  const parsed = parseReference(name)
  const reference = allTags ? parsed : withDefaultTag(parsed)
  const auth = await findAuth(await cli.config(), reference.domain)
  const tag = reference.digest ?? reference.tag
  const messages = await pull(cli.client, {
    repository: `${reference.domain}/${reference.path}`,
    ...(tag !== undefined && { tag }),
    platform: platformOf(cli, platform),
    ...(auth && { auth: encodeAuth(auth) }),
  })
  await showProgress(messages, progress ?? silent)
  return allTags ? familiarName(reference) : familiarReference(reference)
}

/** `--platform`, or what DOCKER_DEFAULT_PLATFORM says; empty leaves it to the engine. */
export function platformOf(cli: Cli, asked: string): string {
  return asked || (cli.env.DOCKER_DEFAULT_PLATFORM ?? '')
}
