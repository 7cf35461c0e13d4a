import type { Readable } from 'node:stream'
import { cancelled } from '#base/errors.ts'
import type { Cli } from '../cli.ts'

const lineLimit = 4096

/** One line of the terminal, as the user edits it. */
export async function ask(cli: Cli, question: string): Promise<string> {
  await cli.stdout.write(question)
  return (await readLine(cli.stdin.open())).trim()
}

/** One line that is not shown. */
export async function askSecret(cli: Cli, question: string): Promise<string> {
  // What is typed before the question stands there is not shown either.
  using _raw = await cli.stdin.raw()
  await cli.stdout.write(question)
  const line = await readLine(cli.stdin.open())
  await cli.stdout.write('\n')
  return line
}

/** To the end of the line; in raw mode also what the terminal would do with ^C, ^D and the delete key. */
async function readLine(input: Readable): Promise<string> {
  let line = ''
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const onData = (chunk: Buffer) => {
    for (const [index, sign] of [...chunk.toString('latin1')].entries()) {
      const rest = chunk.subarray(index + 1)
      if ('\r\n\x03\x04'.includes(sign)) {
        input.off('data', onData).pause()
        if (rest.length > 0) input.unshift(rest)
        if (sign === '\x03') reject(cancelled('interrupted'))
        else if (sign === '\x04' && line === '') reject(cancelled('end of input'))
        else resolve(line)
        return
      }
      if (sign === '\x7f' || sign === '\b') line = line.slice(0, -1)
      else if (line.length < lineLimit) line += sign
    }
  }
  const onEnd = () => reject(cancelled('end of input'))
  input.on('data', onData).once('end', onEnd).resume()
  try {
    return Buffer.from(await promise, 'latin1').toString('utf8')
  } finally {
    input.off('data', onData).off('end', onEnd)
  }
}
