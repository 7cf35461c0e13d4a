import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { readDocument } from './generator/document.ts'
import { emitTypes } from './generator/emit-types.ts'
import { emitValidators } from './generator/emit-validators.ts'

/** `node src/contract/generate.ts [--check]`: openapi.yaml → types.gen.ts and validate.gen.ts. */
const folder = import.meta.dirname
const document = readDocument(parse(readFileSync(join(folder, 'openapi.yaml'), 'utf8'), { merge: true }))
const outputs: readonly (readonly [string, string])[] = [
  ['types.gen.ts', emitTypes(document)],
  ['validate.gen.ts', emitValidators(document)],
]

if (process.argv.includes('--check')) {
  const stale = outputs.filter(([name, text]) => readIfThere(join(folder, name)) !== text)
  for (const [name] of stale) process.stderr.write(`src/contract/${name} is stale; run npm run generate\n`)
  if (stale.length > 0) process.exitCode = 1
} else {
  for (const [name, text] of outputs) writeFileSync(join(folder, name), text)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
