import { invalid } from '#base/errors.ts'
import type { ContainerUpdateResponse } from '#contract/types.gen.ts'
import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { containerFlags } from '../../options/container-flags.ts'
import { parseRestart } from '../../options/restart.ts'

const { blkioWeight, cpuPeriod, cpuQuota, cpuShares, cpus, cpusetCpus, cpusetMems } = containerFlags
const { memory, memoryReservation, memorySwap, pidsLimit, restart } = containerFlags

export const updateCommand = command({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Change limits and restart policies of containers',
  flags: {
    blkioWeight,
    cpuPeriod,
    cpuQuota,
    cpuShares,
    cpus,
    cpusetCpus,
    cpusetMems,
    memory,
    memoryReservation,
    memorySwap,
    pidsLimit,
    restart,
  },
  least: 1,
  async run(cli, { args, flags, given }) {
    if (given.size === 0) throw invalid('you must provide one or more flags when using this command')
    const body = {
      BlkioWeight: flags.blkioWeight,
      CpuPeriod: flags.cpuPeriod,
      CpuQuota: flags.cpuQuota,
      CpuShares: flags.cpuShares,
      NanoCpus: flags.cpus,
      CpusetCpus: flags.cpusetCpus,
      CpusetMems: flags.cpusetMems,
      Memory: flags.memory,
      MemoryReservation: flags.memoryReservation,
      MemorySwap: flags.memorySwap,
      PidsLimit: flags.pidsLimit,
      ...(flags.restart !== '' && { RestartPolicy: parseRestart(flags.restart) }),
    }
    return await forEach(cli, args, async (name) => {
      const { Warnings } = await cli.client.json<ContainerUpdateResponse>('POST', containerPath(name, '/update'), {
        body,
      })
      for (const warning of Warnings ?? []) await cli.stderr.write(`${warning}\n`)
      return name
    })
  },
})
