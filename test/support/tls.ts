import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export interface TestCertificate {
  /** PEM texts and the files that hold them. */
  readonly key: string
  readonly cert: string
  readonly keyFile: string
  readonly certFile: string
}

/** A self-signed certificate for 127.0.0.1, 192.0.2.1, localhost and other names, made by openssl in the directory. */
export async function makeCertificate(directory: string, names: readonly string[] = []): Promise<TestCertificate> {
  const alternatives = ['IP:127.0.0.1', 'IP:192.0.2.1', ...['localhost', ...names].map((name) => `DNS:${name}`)].join(
    ',',
  )
  const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  await execute('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', `subjectAltName=${alternatives}`],
    ...['-keyout', keyFile, '-out', certFile],
  ])
  return { key: await readFile(keyFile, 'utf8'), cert: await readFile(certFile, 'utf8'), keyFile, certFile }
}

export interface Authority {
  /** Its own certificate, in PEM. */
  readonly file: string
  /** Files with a certificate that it has signed, and the key. */
  issue(name: string, use: 'serverAuth' | 'clientAuth'): Promise<{ readonly cert: string; readonly key: string }>
}

/** A certificate authority, made by openssl in the directory. */
export async function makeAuthority(directory: string, name: string): Promise<Authority> {
  const at = (file: string) => join(directory, `${name}-${file}.pem`)
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  await execute('openssl', [...request, '-subj', `/CN=${name}`, '-keyout', at('ca-key'), '-out', at('ca')])
  return {
    file: at('ca'),
    async issue(subject, use) {
      const [key, cert] = [at(`${subject}-key`), at(subject)]
      await execute('openssl', [
        ...[...request, '-subj', `/CN=${subject}`, '-CA', at('ca'), '-CAkey', at('ca-key')],
        ...['-addext', 'basicConstraints=critical,CA:false', '-addext', `extendedKeyUsage=${use}`],
        ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', key, '-out', cert],
      ])
      return { cert, key }
    },
  }
}
