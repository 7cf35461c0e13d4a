import type { Migration } from './migration.ts'

export const images: Migration = {
  version: 1,
  name: 'images',
  sql: '',
}
