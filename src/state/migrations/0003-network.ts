import type { Migration } from './migration.ts'

export const network: Migration = {
  version: 3,
  name: 'network',
  sql: '',
}
