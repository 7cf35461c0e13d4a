import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '#state/database.ts'
import { toStateError } from '#state/sqlite-error.ts'

const first = { version: 1, name: 'first', sql: 'CREATE TABLE things (name TEXT PRIMARY KEY) STRICT' }
const second = { version: 2, name: 'second', sql: 'ALTER TABLE things ADD COLUMN size INTEGER' }

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-state-'))
  path = join(directory, 'state.db')
})
afterEach(() => rm(directory, { recursive: true }))

test('every migration of ours applies to an empty file, and again to nothing', async () => {
  for (let run = 0; run < 2; run += 1) {
    await using database = openDatabase(path)
    expect(database.prepare('SELECT count(*) AS n FROM containers').get()?.n).toBe(0)
  }
})

test('an older schema is brought forward and keeps its rows', async () => {
  {
    await using database = openDatabase(path, [first])
    database.exec("INSERT INTO things VALUES ('a')")
  }
  await using database = openDatabase(path, [first, second])
  expect({ ...database.prepare('SELECT name, size FROM things').get() }).toEqual({ name: 'a', size: null })
})

test('a newer schema is refused and stays as it is', async () => {
  await openDatabase(path, [first, second])[Symbol.asyncDispose]()
  const before = await readFile(path)
  expect(() => openDatabase(path, [first])).toThrow(/schema version 2, but this berth knows only 1/)
  expect(await readFile(path)).toEqual(before)
})

test('a database of somebody else is refused', () => {
  using other = new DatabaseSync(path)
  other.exec('PRAGMA application_id = 7; CREATE TABLE x (y)')
  expect(() => openDatabase(path)).toThrow(/not one of berth's/)
})

test('a failing migration leaves the version of before', async () => {
  await openDatabase(path, [first])[Symbol.asyncDispose]()
  expect(() => openDatabase(path, [first, { version: 2, name: 'bad', sql: 'CREATE TABLE ok (a); NONSENSE' }])).toThrow()
  await using database = openDatabase(path, [first, second])
  expect(database.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'ok'").get()?.n).toBe(0)
})

test('a failed transaction leaves nothing, and a failed inner one only what the outer one did', async () => {
  await using database = openDatabase(path, [first])
  const insert = database.prepare('INSERT INTO things VALUES (?)')
  const fail = (name: string) => {
    insert.run(name)
    throw new Error(name)
  }
  expect(() => database.transaction(() => fail('a'))).toThrow('a')
  database.transaction(() => {
    insert.run('outer')
    expect(() => database.transaction(() => fail('inner'))).toThrow('inner')
  })
  expect(
    database
      .prepare('SELECT name FROM things')
      .all()
      .map((row) => row.name),
  ).toEqual(['outer'])
})

test('listeners hear of a commit after it, and never of what was undone', async () => {
  await using database = openDatabase(path, [first])
  const heard: string[] = []
  database.transaction(() => {
    database.afterCommit(() => heard.push('outer'))
    expect(() =>
      database.transaction(() => {
        database.afterCommit(() => heard.push('inner'))
        throw new Error('undo')
      }),
    ).toThrow()
    expect(heard).toEqual([])
  })
  expect(heard).toEqual(['outer'])
})

test('a transaction refuses to wait', async () => {
  await using database = openDatabase(path, [first])
  expect(() => database.transaction(async () => undefined)).toThrow(/cannot wait/)
})

test('many callers of sync are all answered', async () => {
  await using database = openDatabase(path, [first])
  await Promise.all(Array.from({ length: 20 }, () => database.sync()))
})

test('a database with damaged pages says so, names itself, and is not changed', async () => {
  {
    await using database = openDatabase(path, [first])
    const insert = database.prepare('INSERT INTO things VALUES (?)')
    for (let index = 0; index < 1000; index += 1) insert.run(`${index}`.padStart(100, 'x'))
  }
  const damaged = await readFile(path)
  damaged.fill(0xa5, 4096)
  await writeFile(path, damaged)
  {
    await using database = openDatabase(path, [first])
    expect(() => database.prepare('SELECT name FROM things').all()).toThrow(`${path} is damaged or no database`)
  }
  expect(await readFile(path)).toEqual(damaged)
})

test.each([
  ['EMFILE', 'internal'],
  ['EIO', 'internal'],
  ['ENOSPC', 'no-space'],
  ['EACCES', undefined],
])('%s at a file beside the database is told with its name', async (code, kind) => {
  const refused = Object.assign(new Error(`${code}: open 'state.db.reserve'`), { code })
  const told = toStateError(refused, path)
  if (kind === undefined) expect(told).toBe(refused)
  else expect(told).toMatchObject({ kind, message: expect.stringContaining(path), cause: refused })
})
