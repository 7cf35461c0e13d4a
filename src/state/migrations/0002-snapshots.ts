import type { Migration } from './migration.ts'

export const snapshots: Migration = {
  version: 2,
  name: 'snapshots',
  sql: '',
}
