import type { Columns } from './table.ts'

/** One line of `context ls`. */
export interface ContextRow {
  readonly name: string
  readonly current: boolean
  readonly description: string
  readonly host: string
  /** Why it cannot be used; empty: it can. */
  readonly error: string
}

export const contextTable = '{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}'

const maxError = 45

export const contextColumns: Columns<ContextRow> = {
  Current: { heading: '', value: ({ current }) => current },
  Description: { heading: 'DESCRIPTION', value: ({ description }) => description },
  DockerEndpoint: { heading: 'DOCKER ENDPOINT', value: ({ host }) => host },
  Error: {
    heading: 'ERROR',
    value: ({ error }) => (error.length > maxError ? `${error.slice(0, maxError - 1)}…` : error),
  },
  Name: { heading: 'NAME', value: ({ name }) => name },
}
