import type { Migration } from './migration.ts'

export const snapshots: Migration = {
  version: 2,
  name: 'snapshots',
  sql: `
    -- id is the name of the directory below snapshots/; a parent's is always smaller than its children's.
    -- state: 'usable' means that the kernel may still hold the files in memory only; boot_id tells of which boot.
    CREATE TABLE snapshots (
      id         INTEGER PRIMARY KEY,
      key        TEXT NOT NULL UNIQUE,
      kind       TEXT NOT NULL CHECK (kind IN ('active', 'view', 'committed')),
      parent     INTEGER REFERENCES snapshots (id) ON DELETE RESTRICT,
      driver     TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      bytes      INTEGER,
      inodes     INTEGER,
      state      TEXT NOT NULL CHECK (state IN ('usable', 'durable')),
      boot_id    TEXT NOT NULL
    ) STRICT;
    CREATE INDEX snapshots_parent ON snapshots (parent);
  `,
}
