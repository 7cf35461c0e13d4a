import { expect, test } from 'vitest'
import { integer, list, text, toggle } from '#cli/parsing/flag.ts'
import { parseArguments } from '#cli/parsing/parse.ts'

const table = {
  interactive: toggle('interactive', '', { short: 'i' }),
  tty: toggle('tty', '', { short: 't' }),
  proxy: toggle('sig-proxy', '', { initial: true }),
  name: text('name', ''),
  env: list('env', '', { short: 'e' }),
  shares: integer('cpu-shares', '', { short: 'c' }),
}

const parse = (...argv: string[]) => parseArguments(table, argv, { interspersed: false })

test('switches are joined and a value may touch its letter', () => {
  const { flags, args } = parse('-ite', 'A=1', '-eB=2', '-e=C=3', 'image')
  expect(flags).toMatchObject({ interactive: true, tty: true, env: ['A=1', 'B=2', 'C=3'] })
  expect(args).toEqual(['image'])
})

test('long flags take their value behind = or as the next word', () => {
  expect(parse('--name=a', 'x').flags.name).toBe('a')
  expect(parse('--name', 'a', 'x').flags.name).toBe('a')
  expect(parse('--name=', 'x').given.has('name')).toBe(true)
})

test('a switch is turned off with =false and takes no next word', () => {
  expect(parse('--sig-proxy=false', 'x').flags.proxy).toBe(false)
  expect(parse('--tty', 'false').args).toEqual(['false'])
})

test('flags behind the first argument belong to the container', () => {
  expect(parse('image', '-it', '--name', 'x').args).toEqual(['image', '-it', '--name', 'x'])
  expect(parse('--', '-it').args).toEqual(['-it'])
})

test('flags between arguments count where the command has no container command', () => {
  const { flags, args } = parseArguments(table, ['a', '-t', 'b'], { interspersed: true })
  expect(flags.tty).toBe(true)
  expect(args).toEqual(['a', 'b'])
})

test.each([
  [['--nope'], 'unknown flag: --nope'],
  [['-x'], "unknown shorthand flag: 'x' in -x"],
  [['-itx'], "unknown shorthand flag: 'x' in -itx"],
  [['--name'], 'flag needs an argument: --name'],
  [['-e'], "flag needs an argument: 'e' in -e"],
  [
    ['--tty=maybe'],
    'invalid argument "maybe" for "-t, --tty" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [['-c', 'x'], 'invalid argument "x" for "-c, --cpu-shares" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  [['--=x'], 'bad flag syntax: --=x'],
])("%j is refused in docker's words", (argv, message) => {
  expect(() => parse(...argv)).toThrow(message)
})

test('--help and -h are known everywhere', () => {
  expect(parse('--help').help).toBe(true)
  expect(parse('-h').help).toBe(true)
})
