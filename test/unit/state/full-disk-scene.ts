import { statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '#base/errors.ts'
import { openDatabase } from '#state/database.ts'

/** Fills the disk of the directory that is named, and prints what the database can still do there. */
const [directory = ''] = process.argv.slice(2)
const path = join(directory, 'state.db')
const fill = () => {
  const { bavail, bsize } = statfsSync(directory)
  for (let size = bavail * bsize; size > 0; size -= bsize) {
    try {
      writeFileSync(join(directory, `filler-${size}`), Buffer.alloc(size))
    } catch {
      // The blocks that list the file count too: a little less may fit.
    }
  }
}
const kindOf = (work: () => unknown) => {
  try {
    work()
    return 'done'
  } catch (error) {
    return error instanceof Error && 'kind' in error ? error.kind : messageOf(error)
  }
}
const schema = { version: 1, name: 'things', sql: 'CREATE TABLE things (name TEXT PRIMARY KEY, content TEXT) STRICT' }

const results: Record<string, unknown> = {}
{
  await using database = openDatabase(path, [schema])
  const insert = database.prepare('INSERT INTO things VALUES (?, ?)')
  const remove = database.prepare('DELETE FROM things WHERE name = ?')
  database.checkRoom()
  const names = Array.from({ length: 50 }, (_, index) => `thing ${index}`)
  for (const name of names) insert.run(name, 'x'.repeat(3000))
  fill()
  results.removing = kindOf(() => {
    for (const name of names.slice(0, 40)) database.transaction(() => remove.run(name))
    for (const name of names.slice(40)) remove.run(name)
  })
  results.left = database.prepare('SELECT count(*) AS n FROM things').get()?.n
  fill()
  results.asking = kindOf(() => database.checkRoom())
  results.growing = kindOf(() =>
    database.transaction(() => {
      for (let index = 0; index < 3000; index += 1) insert.run(`more ${index}`, 'x'.repeat(3000))
    }),
  )
  results.grown = database.prepare('SELECT count(*) AS n FROM things').get()?.n
}
process.stdout.write(JSON.stringify(results))
