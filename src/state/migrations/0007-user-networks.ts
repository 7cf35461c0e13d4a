import type { Migration } from './migration.ts'

export const userNetworks: Migration = {
  version: 7,
  name: 'user-networks',
  // `settings` is JSON: what create was asked for; of an endpoint its link, names and published ports.
  // `attachments` are the networks that a container joins at its next start, in the order in which it joins them.
  sql: `
    ALTER TABLE networks ADD COLUMN settings TEXT;
    ALTER TABLE endpoints ADD COLUMN settings TEXT;
    CREATE TABLE attachments (
      container_id TEXT PRIMARY KEY,
      settings TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
}
