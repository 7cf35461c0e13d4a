import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import { decode, encode, type Packet } from 'dns-packet'
import { afterEach, expect, test } from 'vitest'
import { plainAttachment } from '#network/attachment.ts'
import { Forwarder, framed } from '#network/dns/forwarder.ts'
import { answerTo, isAnswer, parseQuery, type Query, responseCodeOf, truncated } from '#network/dns/message.ts'
import { Zone, type ZoneParts } from '#network/dns/zone.ts'
import type { Endpoint } from '#network/endpoint.ts'
import { parseAddress } from '#network/ipam/subnet.ts'
import { type Network, noSettings } from '#network/network.ts'

const never = new AbortController().signal

function queryOf(name: string, type: 'A' | 'AAAA' | 'PTR' = 'A', id = 7): Query {
  const query = parseQuery(encode({ type: 'query', id, questions: [{ type, name }] }))
  if (!query) throw new Error('a query that we made ourselves is none')
  return query
}

// ---- messages ----

test('a question is read, and its answer carries id and question', () => {
  const query = queryOf('Web.Shop')
  expect(query).toMatchObject({ id: 7, name: 'Web.Shop', type: 'A', udpBytes: 512 })
  const answer = answerTo(query, 'success', [{ type: 'A', data: '172.18.0.2' }])
  expect(isAnswer(query, answer)).toBe(true)
  expect(decode(answer)).toMatchObject({
    type: 'response',
    rcode: 'NOERROR',
    answers: [{ type: 'A', name: 'Web.Shop', data: '172.18.0.2' }],
  })
})

test('what does not fit into a datagram is marked', () => {
  const records = Array.from({ length: 60 }, (_, i) => ({ type: 'A' as const, data: `10.0.0.${i}` }))
  const answer = answerTo(queryOf('many'), 'success', records, 512)
  expect(answer.length).toBeLessThanOrEqual(512)
  expect(decode(answer)).toMatchObject({ flag_tc: true, answers: [] })
  const large = answerTo(queryOf('many'), 'success', records)
  expect(decode(truncated(queryOf('many'), large))).toMatchObject({
    flag_tc: true,
    questions: [{ name: 'many' }],
    answers: [],
  })
})

test('answers to other questions are none', () => {
  const query = queryOf('web')
  expect(isAnswer(query, answerTo(queryOf('web', 'A', 8), 'success', []))).toBe(false)
  expect(isAnswer(query, answerTo(queryOf('wob'), 'success', []))).toBe(false)
  expect(isAnswer(query, answerTo(queryOf('web', 'AAAA'), 'success', []))).toBe(false)
  expect(isAnswer(query, query.bytes)).toBe(false)
  expect(isAnswer(query, Buffer.alloc(3))).toBe(false)
})

test('no bytes whatever break the reading of questions', () => {
  const good = encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'a.b.c' }] })
  for (let round = 0; round < 5000; round++) {
    const bytes = round % 2 === 0 ? randomBytes(Math.floor(Math.random() * 600)) : Buffer.from(good)
    if (round % 2 === 1) for (let i = 0; i < 3; i++) bytes[Math.floor(Math.random() * bytes.length)] = round * 31 + i
    const query = parseQuery(bytes)
    if (query) expect(() => isAnswer(query, bytes)).not.toThrow()
  }
  expect(parseQuery(Buffer.alloc(5000))).toBeUndefined()
})

// ---- names ----

const network = (id: string, internal = false): Network => ({
  id,
  name: id,
  driver: 'bridge',
  createdAt: 0n,
  ipam: undefined,
  settings: { ...noSettings, internal },
})

const endpoint = (containerId: string, networkId: string, address: string, dnsNames: readonly string[]): Endpoint => ({
  id: `${containerId}-${networkId}`,
  networkId,
  containerId,
  address: parseAddress(address),
  macAddress: undefined,
  link: 'eth0',
  gatewayPriority: 0,
  ports: [],
  dnsNames,
})

function zoneOf(containerId: string, links: readonly string[] = []): Zone {
  const networks = new Map([network('shop'), network('back', true), network('bridge')].map((one) => [one.id, one]))
  const all = [
    endpoint('web', 'shop', '172.18.0.2', ['web', 'www', 'aaa']),
    endpoint('two', 'shop', '172.18.0.3', ['two', 'www', 'bbb']),
    endpoint('two', 'back', '172.19.0.3', ['two', 'bbb']),
    endpoint('db', 'back', '172.19.0.4', ['db', 'ccc']),
    endpoint('old', 'bridge', '172.17.0.9', []),
  ]
  const parts: ZoneParts = {
    networks: { byId: (id) => networks.get(id) },
    endpoints: {
      ofContainer: (id) => all.filter((one) => one.containerId === id),
      ofNetwork: (id) => all.filter((one) => one.networkId === id),
    },
    attachmentsOf: () => [{ ...plainAttachment('back', 'back'), links }],
  }
  return new Zone(parts, containerId)
}

test.each([
  ['web', 'two', ['172.18.0.3']],
  ['web', 'TWO.', ['172.18.0.3']],
  ['web', 'bbb', ['172.18.0.3']],
  ['web', 'www', ['172.18.0.2', '172.18.0.3']],
  ['web', 'two.shop', ['172.18.0.3']],
  ['web', 'two.back', undefined],
  ['web', 'db', undefined],
  ['two', 'db', ['172.19.0.4']],
  ['two', 'old', undefined],
  ['old', 'old', undefined],
])('%s finds %s at %j', (from, name, addresses) => {
  expect(zoneOf(from).addresses(name)).toEqual(addresses)
})

test('a link is a name for one container alone', () => {
  expect(zoneOf('two', ['db:store']).addresses('store')).toEqual(['172.19.0.4'])
  expect(zoneOf('two').addresses('store')).toBeUndefined()
})

test('an address has the name of its container, on the network that both are on', () => {
  expect(zoneOf('web').nameOf('3.0.18.172.in-addr.arpa')).toBe('two.shop')
  expect(zoneOf('web').nameOf('4.0.19.172.in-addr.arpa')).toBeUndefined()
  expect(zoneOf('web').nameOf('999.0.19.172.in-addr.arpa')).toBeUndefined()
})

test('questions about the world leave unless all networks are internal', () => {
  expect([zoneOf('web').reachesOut, zoneOf('two').reachesOut, zoneOf('db').reachesOut]).toEqual([true, true, false])
})

// ---- the world ----

const opened: (() => void)[] = []
afterEach(() => {
  for (const close of opened.splice(0)) close()
})

type Reply = (packet: Packet) => Partial<Packet> | undefined

/** Nameservers at several addresses of loopback, all at one port.   @returns the port */
async function nameservers(replies: Readonly<Record<string, Reply>>): Promise<number> {
  let port = 0
  for (const [host, reply] of Object.entries(replies)) {
    const socket: Socket = createSocket('udp4')
    const answerOf = (bytes: Buffer): Buffer | undefined => {
      const packet = decode(bytes)
      const given = reply(packet)
      return given && encode({ type: 'response', id: packet.id ?? 0, questions: packet.questions ?? [], ...given })
    }
    socket.on('message', (bytes, peer) => {
      const answer = answerOf(bytes)
      if (answer) socket.send(answer, peer.port, peer.address)
    })
    await new Promise<void>((resolve) => socket.bind(port, host, resolve))
    port = socket.address().port
    opened.push(() => socket.close())
    const server: Server = createServer((client) => {
      client.on('data', (bytes: Buffer) => {
        const answer = answerOf(bytes.subarray(2))
        if (answer) client.end(framed(answer))
      })
    })
    await new Promise<void>((resolve) => server.listen(port, host, resolve))
    opened.push(() => server.close())
  }
  return port
}

const found = (data: string): Reply => {
  return ({ questions }) => ({ answers: [{ type: 'A', name: questions?.[0]?.name ?? '', data }] })
}
const failing: Reply = () => ({ flags: 2 })
const silent: Reply = () => undefined

async function ask(replies: Readonly<Record<string, Reply>>, transport: 'udp' | 'tcp' = 'udp', timeoutMs = 3000) {
  const port = await nameservers(replies)
  const upstreams = async () => Object.keys(replies)
  return await new Forwarder({ upstreams, port, patienceMs: 50, timeoutMs }).ask(
    queryOf('example.org'),
    transport,
    never,
  )
}

const addressIn = (answer: Buffer | undefined): unknown =>
  answer && decode(answer).answers?.map((one) => (one.type === 'A' ? one.data : one.type))

test.each(['udp', 'tcp'] as const)('a nameserver is asked by %s', async (transport) => {
  expect(addressIn(await ask({ '127.0.0.61': found('192.0.2.1') }, transport))).toEqual(['192.0.2.1'])
})

test('the next nameserver is asked when one fails or is silent', async () => {
  expect(addressIn(await ask({ '127.0.0.62': failing, '127.0.0.63': found('192.0.2.2') }))).toEqual(['192.0.2.2'])
  expect(addressIn(await ask({ '127.0.0.64': silent, '127.0.0.65': found('192.0.2.3') }))).toEqual(['192.0.2.3'])
})

test('when all fail their failure is told, when all are silent nothing is', async () => {
  const failure = await ask({ '127.0.0.66': failing, '127.0.0.67': failing })
  expect(failure && responseCodeOf(failure)).toBe(2)
  expect(await ask({ '127.0.0.68': silent }, 'udp', 200)).toBeUndefined()
  expect(await ask({})).toBeUndefined()
})

test('a nameserver that cannot be reached is no more than one that fails', async () => {
  const forwarder = new Forwarder({
    upstreams: async () => ['255.255.255.255', '127.0.0.70', '::7'],
    port: 9,
    timeoutMs: 300,
  })
  for (const transport of ['udp', 'tcp'] as const) {
    expect(await forwarder.ask(queryOf('example.org'), transport, never)).toBeUndefined()
  }
})

test('an answer to another question is not taken', async () => {
  const forged: Reply = () => ({ questions: [{ type: 'A', name: 'evil.example' }] })
  expect(await ask({ '127.0.0.69': forged }, 'udp', 200)).toBeUndefined()
})
