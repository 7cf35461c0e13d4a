import type { Migration } from './migration.ts'

export const volumes: Migration = {
  version: 8,
  name: 'volumes',
  // `options` and `labels` are JSON objects; NULL tells that none were given.
  sql: `
    CREATE TABLE volumes (
      name TEXT PRIMARY KEY,
      driver TEXT NOT NULL,
      options TEXT,
      labels TEXT,
      created_at INTEGER,
      state TEXT NOT NULL CHECK (state IN ('making', 'ready', 'removing'))
    ) STRICT, WITHOUT ROWID;
  `,
}
