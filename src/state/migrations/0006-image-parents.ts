import type { Migration } from './migration.ts'

export const imageParents: Migration = {
  version: 6,
  name: 'image parents',
  // `parent` is the id of the image whose container was committed; `stand_in` a manifest of the blobs that are here, where it is not the own one.
  sql: `
    ALTER TABLE images ADD COLUMN parent TEXT;
    ALTER TABLE images ADD COLUMN stand_in TEXT;
    CREATE INDEX images_by_parent ON images (parent);
  `,
}
