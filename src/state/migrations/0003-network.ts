import type { Migration } from './migration.ts'

export const network: Migration = {
  version: 3,
  name: 'network',
  // `address` is the IPv4 address as a number: NULL on networks without addresses (host, none).
  // `network_host` keeps what we changed on the host itself, by name.
  sql: `
    CREATE TABLE networks (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      driver TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      subnet TEXT,
      gateway TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE endpoints (
      id TEXT PRIMARY KEY,
      network_id TEXT NOT NULL REFERENCES networks (id),
      container_id TEXT NOT NULL,
      address INTEGER,
      UNIQUE (network_id, container_id),
      UNIQUE (network_id, address)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX endpoints_by_container ON endpoints (container_id);
    CREATE TABLE network_host (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
}
