import type { Migration } from './migration.ts'

export const containers: Migration = {
  version: 4,
  name: 'containers',
  // `settings` is what create decided and never changes; the columns are what lookups and life need.
  sql: `
    CREATE TABLE containers (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      image_id TEXT NOT NULL,
      settings TEXT NOT NULL,
      state TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX containers_by_image ON containers (image_id);
  `,
}
