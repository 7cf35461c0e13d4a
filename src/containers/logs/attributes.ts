import { hostname } from 'node:os'
import { invalid } from '#base/errors.ts'
import { shortId } from '#base/ids.ts'
import type { Container } from '../container.ts'

export type LogOptions = Readonly<Record<string, string>>

/** What log drivers tell of a container beside its output. */
export interface LogFacts {
  readonly id: string
  readonly name: string
  readonly imageId: string
  readonly imageName: string
  readonly createdAt: bigint
  readonly command: string
  readonly tag: string
  /** Labels and variables that the options name. */
  readonly attributes: Readonly<Record<string, string>>
}

/** @throws `invalid` for a tag that cannot be made */
export function logFactsOf(container: Container): LogFacts {
  const { id, name, imageId, createdAt, config, path, args, host } = container
  const { options } = host.logConfig
  return {
    ...{ id, name, imageId, createdAt },
    imageName: config.image,
    command: [path, ...args].join(' '),
    tag: formatTag(options.tag || '{{.ID}}', container),
    attributes: selectAttributes(options, container),
  }
}

/** Those of `logs --details`: the tag counts there only when it was asked for. */
export function detailsOf(container: Container): Readonly<Record<string, string>> {
  const { driver, options } = container.host.logConfig
  const isTagged = driver === 'json-file' && options.tag
  return {
    ...selectAttributes(options, container),
    ...(isTagged && { tag: formatTag(options.tag ?? '', container) }),
  }
}

function selectAttributes(options: LogOptions, { config }: Container): Record<string, string> {
  const variables = config.env.map((entry): [string, string] => {
    const at = entry.indexOf('=')
    return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
  })
  return Object.fromEntries([
    ...Object.entries(config.labels).filter(([key]) => isSelected(key, options.labels, options['labels-regex'])),
    ...variables.filter(([key]) => isSelected(key, options.env, options['env-regex'])),
  ])
}

function isSelected(key: string, list: string | undefined, pattern: string | undefined): boolean {
  return (
    (list ?? '').split(',').includes(key) || (pattern !== undefined && pattern !== '' && toPattern(pattern).test(key))
  )
}

/** @throws `invalid` */
export function toPattern(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (cause) {
    throw invalid(`the log option's pattern ${JSON.stringify(text)} is no regular expression`, { cause })
  }
}

const tagFields: Readonly<Record<string, (container: Container) => string>> = {
  ID: ({ id }) => shortId(id),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => shortId(imageId),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ config }) => config.image,
  Command: ({ path, args }) => [path, ...args].join(' '),
  DaemonName: () => 'docker',
  Hostname: () => hostname(),
}

/** Docker's template, as far as it names single fields.   @throws `invalid` */
export function formatTag(template: string, container: Container): string {
  const text = template.replaceAll(/\{\{-?\s*\.(\w+)\s*-?\}\}/g, (place, field: string) => {
    const value = Object.hasOwn(tagFields, field) ? tagFields[field] : undefined
    return value ? value(container) : place
  })
  if (text.includes('{{')) {
    const fields = Object.keys(tagFields).map((field) => `{{.${field}}}`)
    throw invalid(`the log tag ${JSON.stringify(template)} cannot be made: name fields of ${fields.join(', ')}`)
  }
  return text
}
