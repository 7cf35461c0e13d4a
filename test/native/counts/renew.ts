/** npm run counts: records the system calls of each verb and the instructions of the pure parts anew. Needs `npm run native`. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDirectory } from '#test/support/temp.ts'
import { countInstructions } from './instructions.ts'

const golden = join(import.meta.dirname, '../../golden/counts')

const printed = execFileSync(process.execPath, [join(import.meta.dirname, 'print.ts')], { encoding: 'utf8' })
write('system-calls', JSON.parse(printed) as object)
await using directory = await tempDirectory()
write('instructions', await countInstructions(directory.path))

function write(name: string, value: object): void {
  const text = JSON.stringify(value, undefined, 2).replaceAll(/\[\s+(\d+),\s+(\d+)\s+\]/g, '[$1, $2]')
  writeFileSync(join(golden, `${name}.json`), `${text}\n`)
}
