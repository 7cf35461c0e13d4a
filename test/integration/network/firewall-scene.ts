/** Our table of the firewall in a network namespace of this process's own; what nft(8) sees of it is printed as JSON. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { messageOf } from '#base/errors.ts'
import { parseAddress, parseSubnet } from '#network/ipam/subnet.ts'
import { type FirewallBridge, type FirewallPort, openFirewall } from '#runtime/firewall.ts'
import { openLibrary } from '#runtime/library.ts'

const nft = (...args: string[]): string => execFileSync('nft', args, { encoding: 'utf8' })
const list = (...what: string[]): string => nft('list', ...what).replace(/\s+/g, ' ')
const library = await openLibrary({ libraryPath: join(import.meta.dirname, '../../../build/native/libberth.so') })
using firewall = openFirewall(library)

const table = 'berth'
const bridge = (name: string, subnet: string, more: Partial<FirewallBridge> = {}): FirewallBridge => ({
  bridge: name,
  subnet: parseSubnet(subnet),
  internal: false,
  masquerade: true,
  ...more,
})
const web: FirewallPort = {
  protocol: 'tcp',
  hostAddress: undefined,
  hostPort: 8080,
  address: parseAddress('172.17.0.2'),
  port: 80,
}
const local: FirewallPort = { ...web, hostAddress: parseAddress('192.0.2.1') }
const change = (ports: readonly FirewallPort[], bridges: readonly FirewallBridge[] = []) => ({ table, bridges, ports })
const bridges = [
  bridge('berth0', '172.17.0.0/16'),
  bridge('in"; #', '10.0.0.0/8', { internal: true, masquerade: false }),
]
const refusal = (work: Promise<unknown>) => work.then(() => 'done', messageOf)

await firewall.removeTable(table)
const before = firewall.hasTable(table)
await firewall.write({ table, bridges, ports: [web] }, { dropOthers: true })
const written = nft('list', 'table', 'inet', table)
await firewall.write({ table, bridges, ports: [web] }, { dropOthers: true })
const writtenAgain = nft('list', 'table', 'inet', table)

nft('flush', 'ruleset')
const afterFlush = firewall.hasTable(table)
await firewall.add(change([local]))
const twoPorts = list('table', 'inet', table)
await firewall.take(change([{ ...web, keepOwn: true }]))
const onePort = list('table', 'inet', table)
const missing = await refusal(firewall.take(change([local, web])))
const afterRefusal = list('table', 'inet', table)
const next = [bridge('berth-1', '172.18.0.0/16'), bridge('berth-2', '255.255.255.0/24')]
await firewall.add(change([], next))
await firewall.add(change([], next))
const fourBridges = list('table', 'inet', table)
await firewall.take(change([], next))
const backToTwo = list('table', 'inet', table)
const many = Array.from({ length: 2000 }, (_, at) => ({ ...web, hostPort: 20_000 + at }))
await firewall.add(change(many))
const manyPorts = (list('map', 'inet', table, 'anywhere').match(/tcp \. \d+ :/g) ?? []).length
await firewall.take(change(many))

using other = openFirewall(library)
const ofAnother = await refusal(other.write({ table, bridges, ports: [] }, { dropOthers: false }))
firewall[Symbol.dispose]()
const orphaned = firewall.hasTable(table)
await other.write({ table, bridges: [], ports: [] }, { dropOthers: false })
const taken = list('table', 'inet', table)

nft('add table ip strict; add chain ip strict locked { type filter hook forward priority 10; policy drop; }')
nft('add table ip6 strict; add chain ip6 strict locked { type filter hook forward priority 10; policy drop; }')
nft('add chain ip strict open { type filter hook forward priority 11; policy accept; }')
nft('add chain ip strict inward { type filter hook input priority 10; policy drop; }; add chain ip strict plain')
const dropping = other.droppingChains()

console.log(
  JSON.stringify({
    before,
    written,
    writtenAgain,
    afterFlush,
    twoPorts,
    onePort,
    missing,
    afterRefusal,
    fourBridges,
    backToTwo,
    manyPorts,
    ofAnother,
    orphaned,
    taken,
    dropping,
  }),
)
