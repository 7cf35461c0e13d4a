import { BerthError } from '#base/errors.ts'
import { openTestImages } from '#test/support/images.ts'

/** Pulls the images that are named after the data root, and prints how each ended and what it left. */
const [root = '', ...names] = process.argv.slice(2)
await using images = await openTestImages({ root })
const ends: object[] = []
for (const name of names) {
  let failure: unknown
  try {
    await images.pull(name)
  } catch (error) {
    failure = error
  }
  const kind = failure instanceof BerthError ? failure.kind : String(failure)
  ends.push({ kind, ...(await images.footprint()) })
}
process.stdout.write(JSON.stringify(ends))
