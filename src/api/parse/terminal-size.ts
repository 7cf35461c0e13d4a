import { invalid } from '#base/errors.ts'

/** Rows and columns of a terminal.   @throws `invalid` in Docker's words */
export function parseSize(height: string | undefined, width: string | undefined): { rows: number; columns: number } {
  return { rows: parseSide(height, 'height'), columns: parseSide(width, 'width') }
}

function parseSide(text: string | undefined, side: string): number {
  const value = Number(text)
  if (text === undefined || !/^-?\d+$/.test(text)) {
    throw invalid(`invalid resize ${side} ${JSON.stringify(text ?? '')}: invalid syntax`)
  }
  if (value < 0 || value > 0xffffffff)
    throw invalid(`invalid resize ${side} ${JSON.stringify(text)}: value out of range`)
  // The kernel's window size has 16 bits, of which Docker keeps the low ones too.
  return value & 0xffff
}

/** `ConsoleSize` of a request, or undefined when it is absent.   @throws `invalid` */
export function parseConsoleSize(size: readonly number[] | undefined): readonly [number, number] | undefined {
  if (!size) return undefined
  const [height, width] = size
  if (size.length !== 2 || height === undefined || width === undefined || height > 0xffff || width > 0xffff) {
    throw invalid('ConsoleSize must be [height, width], each from 0 to 65535')
  }
  return [height, width]
}
