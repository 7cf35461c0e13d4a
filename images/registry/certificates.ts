import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import { messageOf, systemCode, unavailable } from '#base/errors.ts'

/** Where distributions keep the authorities that this machine trusts; the first one there counts, as in Go programs. */
const systemBundles: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

const dockerDirectory = '/etc/docker/certs.d'

/**
 * Whom to trust when talking to a host, and what to show it: the machine's authorities, and Docker's folder for this host
 * (`*.crt` authorities, `*.cert` with `*.key` of clients).   @throws `unavailable` for files that are there but no certificates
 */
export async function trustFor(host: string, directory = dockerDirectory): Promise<SecureContext> {
  const own = join(directory, host)
  const names = ((await ifThere(readdir(own))) ?? []).toSorted()
  const clients = clientNamesOf(names, own)
  const read = (name: string) => readFile(join(own, name), 'utf8')
  const readAll = (wanted: readonly string[]) => Promise.all(wanted.map(read))
  try {
    return createSecureContext({
      ca: [
        ...((await systemAuthorities()) ?? rootCertificates),
        ...(await readAll(names.filter((name) => name.endsWith('.crt')))),
      ],
      ...(clients.length > 0 && {
        cert: await readAll(clients.map((name) => `${name}.cert`)),
        key: await readAll(clients.map((name) => `${name}.key`)),
      }),
    })
  } catch (cause) {
    throw unavailable(`the certificates for ${host} (system and ${own}) cannot be used: ${messageOf(cause)}`, { cause })
  }
}

/** Of client certificates, without their endings.   @throws `unavailable` in Docker's words for halves of a pair */
function clientNamesOf(names: readonly string[], directory: string): readonly string[] {
  const ofEnding = (ending: string) =>
    names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length))
  const [certificates, keys] = [ofEnding('.cert'), ofEnding('.key')]
  const withoutKey = certificates.find((name) => !keys.includes(name))
  if (withoutKey !== undefined) {
    throw unavailable(
      `missing key ${withoutKey}.key for client certificate ${withoutKey}.cert in ${directory}. CA certificates must use the extension .crt`,
    )
  }
  const withoutCertificate = keys.find((name) => !certificates.includes(name))
  if (withoutCertificate !== undefined) {
    throw unavailable(
      `missing client certificate ${withoutCertificate}.cert for key ${withoutCertificate}.key in ${directory}`,
    )
  }
  return certificates
}

async function systemAuthorities(): Promise<readonly string[] | undefined> {
  const chosen = process.env.SSL_CERT_FILE
  for (const path of chosen ? [chosen] : systemBundles) {
    const bundle = await ifThere(readFile(path, 'utf8'))
    if (bundle !== undefined) return [bundle]
  }
  return undefined
}

async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
