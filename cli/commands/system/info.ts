import type { SystemInfo } from '#contract/types.gen.ts'
import { buildFacts } from '../../build-facts.ts'
import type { Cli } from '../../cli.ts'
import { command } from '../../command.ts'
import { formatObject, objectFormatHelp } from '../../output/format-flag.ts'
import { formatBinarySize } from '../../output/human.ts'
import { text } from '../../parsing/flag.ts'

export const infoCommand = command({
  usage: '[OPTIONS]',
  summary: 'Show what the engine has and can',
  flags: { format: text('format', objectFormatHelp, { short: 'f' }) },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    const client = await clientInfo(cli)
    const [server] = await Promise.allSettled([cli.client.json<SystemInfo>('GET', '/info')])
    const info = server.status === 'fulfilled' ? server.value : undefined
    const shown =
      flags.format === '' ? formatInfo(client, info) : formatObject({ ...info, ClientInfo: client }, flags.format)
    await cli.stdout.write(shown)
    for (const { Path, Err } of client.Plugins) {
      if (Err !== undefined && flags.format === '') {
        await cli.stderr.write(`WARNING: Plugin ${JSON.stringify(Path)} is not valid: ${Err}\n`)
      }
    }
    if (server.status === 'rejected') throw server.reason
    for (const warning of server.value.Warnings ?? []) await cli.stderr.write(`${warning}\n`)
    return 0
  },
})

async function clientInfo(cli: Cli) {
  const { version, gitCommit, buildTime } = buildFacts()
  const { contexts, program } = cli
  return {
    Debug: false,
    Version: version,
    Name: program,
    GitCommit: gitCommit,
    Os: process.platform,
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    BuildTime: buildTime,
    Context: contexts.current,
    Plugins: await cli.plugins(),
    Warnings: null,
  }
}

type ClientInfo = Awaited<ReturnType<typeof clientInfo>>

function clientLines({ Version, Context, Debug, Plugins }: ClientInfo): string[] {
  const working = Plugins.filter(({ Err }) => Err === undefined)
  return [
    'Client: Berth',
    ` Version:    ${Version}`,
    ` Context:    ${Context}`,
    ` Debug Mode: ${Debug}`,
    ...(working.length === 0 ? [] : [' Plugins:']),
    ...working.flatMap(({ Name, ShortDescription = '', Vendor = '', Version: version, Path }) => [
      `  ${Name}: ${ShortDescription} (${Vendor})`,
      ...(version === undefined ? [] : [`    Version:  ${version}`]),
      `    Path:     ${Path}`,
    ]),
    '',
    'Server:',
  ]
}

function formatInfo(client: ClientInfo, info: SystemInfo | undefined): string {
  const lines = [...clientLines(client), ...(info ? serverLines(info) : [])]
  return `${lines.join('\n')}\n`
}

function serverLines(info: SystemInfo): string[] {
  return [
    ` Containers: ${info.Containers}`,
    `  Running: ${info.ContainersRunning}`,
    `  Paused: ${info.ContainersPaused}`,
    `  Stopped: ${info.ContainersStopped}`,
    ` Images: ${info.Images}`,
    ` Server Version: ${info.ServerVersion}`,
    ` Storage Driver: ${info.Driver}`,
    ...(info.DriverStatus ?? []).map(([name, value]) => `  ${name}: ${value}`),
    ` Logging Driver: ${info.LoggingDriver}`,
    ` Cgroup Driver: ${info.CgroupDriver}`,
    ` Cgroup Version: ${info.CgroupVersion}`,
    ' Plugins:',
    `  Volume: ${words(info.Plugins?.Volume)}`,
    `  Network: ${words(info.Plugins?.Network)}`,
    `  Log: ${words(info.Plugins?.Log)}`,
    ` Swarm: ${info.Swarm?.LocalNodeState}`,
    ` Runtimes: ${words(Object.keys(info.Runtimes ?? {}).toSorted())}`,
    ` Default Runtime: ${info.DefaultRuntime}`,
    ...securityLines(info.SecurityOptions ?? []),
    ` Kernel Version: ${info.KernelVersion}`,
    ` Operating System: ${info.OperatingSystem}`,
    ` OSType: ${info.OSType}`,
    ` Architecture: ${info.Architecture}`,
    ` CPUs: ${info.NCPU}`,
    ` Total Memory: ${formatBinarySize(info.MemTotal)}`,
    ` Name: ${info.Name}`,
    ` ID: ${info.ID}`,
    ` Docker Root Dir: ${info.DockerRootDir}`,
    ` Debug Mode: ${info.Debug}`,
    ...proxyLines(info),
    ...registryLines(info),
    ` Live Restore Enabled: ${info.LiveRestoreEnabled}`,
  ]
}

function words(values: readonly string[] | null | undefined): string {
  return (values ?? []).join(' ')
}

/** `name=seccomp,profile=builtin` → the name, and its settings below it. */
function securityLines(options: readonly string[]): string[] {
  if (options.length === 0) return []
  const lines = options.flatMap((option) => {
    const [name = '', ...settings] = option.split(',').map((part) => part.split('='))
    const title = typeof name === 'string' ? name : (name[1] ?? name[0] ?? '')
    const details = settings.map(([key = '', value = '']) => `   ${key === 'profile' ? 'Profile' : key}: ${value}`)
    return [`  ${title}`, ...details]
  })
  return [' Security Options:', ...lines]
}

function proxyLines({ HttpProxy, HttpsProxy, NoProxy }: SystemInfo): string[] {
  const lines: [string, string | undefined][] = [
    ['HTTP Proxy', HttpProxy],
    ['HTTPS Proxy', HttpsProxy],
    ['No Proxy', NoProxy],
  ]
  return lines.flatMap(([name, value]) => (value ? [` ${name}: ${value}`] : []))
}

function registryLines({ RegistryConfig }: SystemInfo): string[] {
  const insecure = Object.values(RegistryConfig?.IndexConfigs ?? {}).filter(({ Secure }) => !Secure)
  const ranges = [...insecure.map(({ Name }) => Name), ...(RegistryConfig?.InsecureRegistryCIDRs ?? [])]
  const mirrors = RegistryConfig?.Mirrors ?? []
  return [
    ...(ranges.length > 0 ? [' Insecure Registries:', ...ranges.map((name) => `  ${name}`)] : []),
    ...(mirrors.length > 0 ? [' Registry Mirrors:', ...mirrors.map((name) => `  ${name}`)] : []),
  ]
}
