import { busyboxLayer } from '../../support/base-image.ts'

/** Files of an image with data at /data: owners, modes, a link that leads out, and one that leads to it. */
export function volumeImageTar(): Buffer {
  return busyboxLayer([
    { name: 'data/', mode: 0o2750, uid: 1000, gid: 1001 },
    { name: 'data/file', content: 'hello\n', mode: 0o640, uid: 7, gid: 8 },
    { name: 'data/sub/', mode: 0o700, uid: 1000, gid: 1001 },
    { name: 'data/sub/deep', content: 'deep\n' },
    { name: 'data/out', type: '2', link: '/etc' },
    { name: 'link', type: '2', link: '/data' },
    { name: 'away', type: '2', link: '/../../../../etc' },
  ])
}
