import { isIP } from 'node:net'
import { invalid } from '#base/errors.ts'

/** `host:ip` and `host=ip` are one; the API has the first.   @throws `invalid` */
export function toExtraHost(text: string): string {
  const separator = /[=:]/.exec(text)?.index ?? -1
  if (separator <= 0) throw invalid(`bad format for add-host: "${text}"`)
  return `${text.slice(0, separator)}:${text.slice(separator + 1).replace(/^\[(.*)\]$/, '$1')}`
}

/** @throws `invalid` */
export function checkAddress(text: string): string {
  if (isIP(text.trim()) === 0) throw invalid(`IP address is not correctly formatted: ${text}`)
  return text.trim()
}

/** 6, 8 or 20 bytes in hexadecimal, with `:`, `-` or (in fours) `.` between.   @throws `invalid` */
export function checkMacAddress(text: string): string {
  const address = text.trim()
  const bytes = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2})*)$/i.test(address)
  const fours = /^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i.test(address)
  const length = address.replaceAll(/[:.-]/g, '').length / 2
  if ((bytes || fours) && [6, 8, 20].includes(length)) return address
  throw invalid(`${address} is not a valid mac address`)
}
