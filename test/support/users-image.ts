import { buildImage, busyboxLayer, type TestImage } from './base-image.ts'
import { tar } from './tar.ts'

/** An image whose account files have a few traps in them. */
export function usersImage(): TestImage {
  const passwd = [
    'root:x:0:0:root:/root:/bin/sh',
    '# a comment',
    'web:x:100:101:web:/srv/web:/bin/sh',
    '1000:x:0:0:a number for a name:/:/bin/sh',
    '4294967296:x:0:0:a large one:/:/bin/sh',
    'half:x:200',
    '',
  ]
  const group = ['root:x:0:', 'web:x:101:', 'log:x:102:web,root', 'wheel:x:10:root', '77:x:0:web', '']
  const layer = tar([
    { name: 'etc/passwd', content: passwd.join('\n') },
    { name: 'etc/group', content: group.join('\n') },
  ])
  return buildImage({ layers: [busyboxLayer(), layer] })
}

/** Every form of USER. */
export const userForms = [
  ...['', 'root', '0', 'web', '100', 'web:wheel', 'web:7', '4242', '4242:4343', '1000', 'web:77', ':wheel', 'web:'],
  ...['half', 'nobody', 'web:nogroup', '2147483647', '2147483648', '4294967296', '-1', '99999999999999999999'],
]
