import { constants } from 'node:os'
import { posix } from 'node:path'
import { invalid } from '#base/errors.ts'
import type { ContainerDefaults } from '#oci/image-config.ts'
import { commandWords } from './command-form.ts'
import { parseExposed } from './exposed-ports.ts'
import { parseHealthCheck } from './health-check.ts'
import { type Environment, expandWord, splitWords } from './shell-words.ts'

/**
 * What `docker commit --change` and `docker import --change` make of a config: Dockerfile instructions that only change it, one or more in
 * each text, applied in order.   @throws `invalid` in Docker's words
 */
export function applyChanges(base: ContainerDefaults, changes: readonly string[]): ContainerDefaults {
  if (changes.length === 0) return base
  const lines = linesOf(changes.join('\n'))
  if (lines.length === 0) throw invalid('file with no instructions')
  let state: State = { config: base, cmdIsSet: false }
  for (const line of lines) {
    const [, name = '', text = ''] = /^(\S+)\s*([\s\S]*)$/.exec(line) ?? []
    const apply = instructions.get(name.toUpperCase())
    if (!apply) throw invalid(`${name.toUpperCase()} is not a valid change command`)
    state = apply(state, text)
  }
  return state.config
}

interface State {
  readonly config: ContainerDefaults
  /** An ENTRYPOINT drops a CMD that does not stand in the changes. */
  readonly cmdIsSet: boolean
}

type Instruction = (state: State, text: string) => State

const instructions: ReadonlyMap<string, Instruction> = new Map([
  ['CMD', (state, text) => ({ config: { ...state.config, Cmd: toCommand(state, text) }, cmdIsSet: true })],
  ['ENTRYPOINT', setEntrypoint],
  [
    'ENV',
    (state, text) => withConfig(state, { Env: setVariables(state.config.Env ?? [], pairsOf('ENV', state, text)) }),
  ],
  ['EXPOSE', addPorts],
  ['HEALTHCHECK', (state, text) => withConfig(state, { Healthcheck: parseHealthCheck(text) })],
  [
    'LABEL',
    (state, text) =>
      withConfig(state, { Labels: { ...state.config.Labels, ...Object.fromEntries(pairsOf('LABEL', state, text)) } }),
  ],
  ['ONBUILD', addTrigger],
  ['STOPSIGNAL', (state, text) => withConfig(state, { StopSignal: checkSignal(oneOf('STOPSIGNAL', state, text)) })],
  ['USER', (state, text) => withConfig(state, { User: oneOf('USER', state, text) })],
  ['VOLUME', addVolumes],
  [
    'WORKDIR',
    (state, text) => {
      const path = posix.resolve('/', state.config.WorkingDir ?? '', oneOf('WORKDIR', state, text))
      return withConfig(state, { WorkingDir: path })
    },
  ],
])

/** Instructions without comments, empty lines and the ends of lines that go on. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
  const joined = lines.join('\n').replaceAll(/\\[ \t]*\n/g, '')
  return joined.split('\n').flatMap((line) => line.trim() || [])
}

function withConfig(state: State, changed: Partial<ContainerDefaults>): State {
  return { ...state, config: { ...state.config, ...changed } }
}

function toCommand({ config: { Shell = ['/bin/sh', '-c'] } }: State, text: string): readonly string[] {
  const { form, words } = commandWords(text)
  return form === 'exec' ? words : [...Shell, ...words]
}

function setEntrypoint(state: State, text: string): State {
  const { Entrypoint: _, Cmd, ...config } = state.config
  const entrypoint = toCommand(state, text)
  return {
    ...state,
    config: {
      ...config,
      ...(entrypoint.length > 0 && { Entrypoint: entrypoint }),
      ...(state.cmdIsSet && Cmd && { Cmd }),
    },
  }
}

function setVariables(env: readonly string[], pairs: readonly (readonly [string, string])[]): readonly string[] {
  const all = new Map(env.map((line) => [line.split('=', 1)[0] ?? '', line]))
  for (const [name, value] of pairs) all.set(name, `${name}=${value}`)
  return [...all.values()]
}

/** `a=b "c d"=e`, or the old form `a the rest`. */
function pairsOf(instruction: string, state: State, text: string): readonly (readonly [string, string])[] {
  const words = splitWords(text)
  if (words.length === 0) throw invalid(`${instruction} requires at least one argument`)
  const environment = environmentOf(state)
  const expand = (name: string, value: string): readonly [string, string] => {
    const expanded = expandWord(name, environment)
    if (expanded === '') throw invalid(`${instruction} names can not be blank`)
    return [expanded, expandWord(value, environment)]
  }
  if (!words[0]?.includes('=')) {
    const [, name, value] = /^(\S+)\s+([\s\S]*)$/.exec(text) ?? []
    if (name === undefined || value === undefined) throw invalid(`${instruction} must have two arguments`)
    return [expand(name, value)]
  }
  return words.map((word) => {
    const equals = word.indexOf('=')
    if (equals < 0) {
      throw invalid(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`)
    }
    return expand(word.slice(0, equals), word.slice(equals + 1))
  })
}

function environmentOf({ config: { Env = [] } }: State): Environment {
  return new Map(
    Env.map((line) => {
      const equals = line.indexOf('=')
      return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)]
    }),
  )
}

function oneOf(instruction: string, state: State, text: string): string {
  if (text === '') throw invalid(`${instruction} requires exactly one argument`)
  return expandWord(text, environmentOf(state))
}

function addPorts(state: State, text: string): State {
  if (text === '') throw invalid('EXPOSE requires at least one argument')
  const environment = environmentOf(state)
  const ports = splitWords(text)
    .flatMap((word) => splitWords(expandWord(word, environment)))
    .flatMap(parseExposed)
  const exposed = Object.fromEntries(ports.map((port) => [port, {}]))
  return withConfig(state, { ExposedPorts: { ...state.config.ExposedPorts, ...exposed } })
}

function addVolumes(state: State, text: string): State {
  if (text === '') throw invalid('VOLUME requires at least one argument')
  const { form, words } = commandWords(text)
  const environment = environmentOf(state)
  const paths = (form === 'exec' ? words : text.split(/\s+/)).map((word) => expandWord(word, environment).trim())
  if (paths.includes('')) throw invalid('VOLUME specified can not be an empty string')
  const volumes = Object.fromEntries(paths.map((path) => [path, {}]))
  return withConfig(state, { Volumes: { ...state.config.Volumes, ...volumes } })
}

function addTrigger(state: State, text: string): State {
  const trigger = text.split(/\s/, 1)[0]?.toUpperCase() ?? ''
  if (trigger === '') throw invalid('ONBUILD requires at least one argument')
  if (trigger === 'ONBUILD') throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
  if (trigger === 'FROM' || trigger === 'MAINTAINER') throw invalid(`${trigger} isn't allowed as an ONBUILD trigger`)
  return withConfig(state, { OnBuild: [...(state.config.OnBuild ?? []), text] })
}

function checkSignal(text: string): string {
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`
  const isKnown = name in constants.signals || /^SIGRTM(IN(\+\d+)?|AX(-\d+)?)$/.test(name)
  if (!isKnown && !(/^\d+$/.test(text) && Number(text) > 0)) throw invalid(`invalid signal: ${text}`)
  return text
}
