import { familiarName, familiarReference, parseReference, withDefaultTag } from '#oci/reference.ts'
import type { Cli } from '../../cli.ts'
import { pull } from '../../client/images.ts'
import { encodeAuth, findAuth } from '../../config/credential-helper.ts'
import { showProgress } from '../../output/progress.ts'
import type { Output } from '../../terminal/streams.ts'

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
    platform,
    ...(auth && { auth: encodeAuth(auth) }),
  })
  await showProgress(messages, progress ?? silent)
  return allTags ? familiarName(reference) : familiarReference(reference)
}

const silent: Output = {
  isTerminal: false,
  columns: 80,
  rows: 24,
  closed: false,
  write: async () => {},
  onResize: () => ({ [Symbol.dispose]: () => {} }),
}
