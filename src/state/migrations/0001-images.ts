import type { Migration } from './migration.ts'

export const images: Migration = {
  version: 1,
  name: 'images',
  // An image is a root (index or manifest) and the config that was chosen from it: one index may be here for two platforms.
  // image_content names every blob and snapshot that the image needs, so that a removal can ask who else does.
  sql: `
    CREATE TABLE images (
      root TEXT NOT NULL,
      id TEXT NOT NULL,
      root_type TEXT NOT NULL,
      root_size INTEGER NOT NULL,
      manifest TEXT NOT NULL,
      config TEXT NOT NULL,
      layers TEXT NOT NULL,
      added_at INTEGER NOT NULL,
      PRIMARY KEY (root, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX images_by_id ON images (id);
    CREATE TABLE image_content (
      digest TEXT NOT NULL,
      root TEXT NOT NULL,
      id TEXT NOT NULL,
      PRIMARY KEY (digest, root, id),
      FOREIGN KEY (root, id) REFERENCES images (root, id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX image_content_by_image ON image_content (root, id);
    CREATE TABLE image_references (
      name TEXT NOT NULL PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('tag', 'digest')),
      root TEXT NOT NULL,
      id TEXT NOT NULL,
      set_at INTEGER NOT NULL,
      FOREIGN KEY (root, id) REFERENCES images (root, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX image_references_by_image ON image_references (id, root);
  `,
}
