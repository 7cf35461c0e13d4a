import type { Migration } from './migration.ts'

export const events: Migration = {
  version: 5,
  name: 'events',
  sql: `
    CREATE TABLE events (
      serial INTEGER PRIMARY KEY AUTOINCREMENT,
      time INTEGER NOT NULL,
      event TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_by_time ON events (time);
  `,
}
