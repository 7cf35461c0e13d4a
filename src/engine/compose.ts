import { closeSync, existsSync } from 'node:fs'
import type { Digest } from '#base/digest.ts'
import { invalid, isKind, messageOf } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { LogConfig } from '#containers/container.ts'
import { ContainerStore } from '#containers/container-store.ts'
import { CurrentDefaults } from '#containers/create-defaults.ts'
import { isAlive } from '#containers/lifecycle.ts'
import { parseLogOptions } from '#containers/logs/log-options.ts'
import type { ContainerFiles, ImageSource, PlanCompiler, RootfsReader } from '#containers/ports.ts'
import { Runtimes } from '#containers/runtimes.ts'
import { ContainerService } from '#containers/service.ts'
import { AppArmor, findAppArmorParser } from '#containers/spec/apparmor.ts'
import { checkCgroupParent } from '#containers/spec/cgroups.ts'
import { SeccompFilters } from '#containers/spec/seccomp-filters.ts'
import { EventBus } from '#events/bus.ts'
import { assembleRoot } from '#images/layers/assembled-root.ts'
import { copyOutOf, lookIn } from '#images/layers/copy-process.ts'
import { copyTree } from '#images/layers/copy-tree.ts'
import { type DiffPorts, exportTree, listChanges } from '#images/layers/diff.ts'
import { runCopyIn } from '#images/layers/unpack-process.ts'
import { openSnapshotter } from '#images/snapshots/open.ts'
import { type ImageService, openImages } from '#images/store/service.ts'
import { TransferSettings } from '#images/transfer/transfer-settings.ts'
import { NetworkService } from '#network/service.ts'
import { parseReference } from '#oci/reference.ts'
import { openCgroups } from '#runtime/cgroup.ts'
import { openFirewall } from '#runtime/firewall.ts'
import { type Koffi, openLibrary } from '#runtime/library.ts'
import { trimMemory } from '#runtime/memory.ts'
import { openMounts } from '#runtime/mount.ts'
import { openNetlink } from '#runtime/netlink.ts'
import { openOverlayMarks } from '#runtime/overlay.ts'
import { openPlans } from '#runtime/plan.ts'
import { openProcesses } from '#runtime/process.ts'
import { openDirectoryQuotas } from '#runtime/quota.ts'
import { openSeccomp } from '#runtime/seccomp.ts'
import { openSockets } from '#runtime/socket.ts'
import { ShimLauncher } from '#shim/launch.ts'
import { type Database, openDatabase } from '#state/database.ts'
import { chooseCgroupDriver } from './cgroup-driver.ts'
import type { Config } from './config.ts'
import { openDataRoot } from './data-root.ts'
import type { Engine } from './engine.ts'
import { collectAfterRemovals, removeOrphanedLayers } from './garbage.ts'
import type { Natives } from './natives.ts'
import { processDefaultsOf } from './process-defaults.ts'
import { CurrentConfig, createDefaultsOf, transferChoices } from './reload.ts'
import { openSelinux } from './selinux.ts'
import { removeEmptySharedGroups } from './shared-groups.ts'
import { defaultStorageSize } from './storage-options.ts'
import { openSystem } from './system.ts'
import { openIdMaps } from './userns-remap.ts'
import { openVolumes } from './volumes.ts'

const warmShims = 2

/**
 * Builds every part in order and connects them; disposing takes them down in reverse and leaves the containers running.
 * @throws `conflict` when another daemon has the data root
 */
export async function openEngine(config: Config, natives: Natives, log: Logger): Promise<Engine> {
  await using opened = new AsyncDisposableStack()
  const runtimes = new Runtimes(config.runtimes, config.defaultRuntime)
  const defaults = new CurrentDefaults(createDefaultsOf(config))
  const transfers = new TransferSettings(transferChoices(config))
  const library = await openLibrary({
    libraryPath: natives.library,
    ...(natives.koffi !== undefined && { koffi: natives.koffi as Koffi }),
  })
  const processes = openProcesses(library)
  const root = opened.use(await openDataRoot(config.dataRoot, config.execRoot, processes))
  const database = opened.use(openDatabase(root.database))
  takeReserve(database, log)
  const events = new EventBus(database)
  const store = new ContainerStore(database)
  const report = (error: unknown) => log.error({ error: messageOf(error) }, 'background work failed')

  const snapshots = opened.use(
    await openSnapshotter({
      ...{ root: root.snapshots, database, executable: natives.unpack, onError: report },
      quotas: openDirectoryQuotas(library),
    }),
  )
  const defaultSizeBytes = defaultStorageSize(config.storageOptions, snapshots.canLimit)
  // Before the images look which layers are free.
  await removeOrphanedLayers(snapshots, store, report)
  const images = opened.use(
    await openImages({
      contentRoot: root.content,
      quarantine: root.quarantine,
      disk: config.disk,
      database,
      snapshots,
      unpackExecutable: natives.unpack,
      users: {
        of: (imageId) =>
          store
            .all()
            .filter((container) => container.imageId === imageId)
            .map((container) => ({ id: container.id, running: isAlive(container) })),
        counts: () =>
          new Map([...Map.groupBy(store.all(), ({ imageId }) => imageId)].map(([id, all]) => [id, all.length])),
      },
      events,
      transfers,
      pushCompression: config.pushCompression,
      log,
      onIdle: () => void trimMemory(library).catch(report),
    }),
  )
  const network = opened.use(
    new NetworkService({
      config: { ...config, pools: config.addressPools },
      database,
      links: openNetlink(library),
      firewall: opened.use(openFirewall(library)),
      log,
      publish: (event) => events.publish(event),
    }),
  )
  const volumes = await openVolumes(root, {
    database,
    store,
    events,
    log,
    unpackExecutable: natives.unpack,
    mounts: openMounts(library),
  })
  const executable = opened.adopt(await processes.openExecutable(natives.shim), closeSync)
  const sockets = openSockets(library)
  const cgroups = openCgroups(library)
  const cgroupDriver = chooseCgroupDriver(config.execOptions, cgroups.layout())
  checkCgroupParent(config, cgroupDriver)
  opened.defer(() => removeEmptySharedGroups(cgroups.layout()))
  const shims = opened.use(
    new ShimLauncher({ kernel: { ...sockets, ...processes }, executable, warm: warmShims, report }),
  )
  const seccomp = openSeccomp(library)
  const plans: PlanCompiler = { ...openPlans(library), close: closeSync }
  const selinux = await openSelinux(config, natives, { library, log })
  const containers = opened.use(
    await ContainerService.open({
      store,
      events,
      images: imageSource(images),
      snapshots,
      layerMarks: openOverlayMarks(library),
      rootfs: openRootfsReader({ executable: natives.unpack, snapshots }),
      files: openContainerFiles(natives.unpack),
      network,
      volumes,
      shims,
      datagrams: sockets,
      cgroups,
      plans,
      initProgram: config.initPath ?? natives.init,
      probeProgram: natives.probe,
      compressProgram: natives.unpack,
      appArmor: new AppArmor(findAppArmorParser()),
      selinux,
      seccomp: new SeccompFilters((profile) => seccomp.compile(profile)),
      runtimes,
      defaultLog: defaultLogOf(config),
      defaultSizeBytes,
      processDefaults: processDefaultsOf(config),
      defaults,
      dnsDefaults: { servers: config.dns, options: config.dnsOptions, search: config.dnsSearch },
      cgroupParent: config.cgroupParent,
      cdiSpecDirs: config.cdiSpecDirs,
      cgroupDriver,
      idMaps: await openIdMaps(config.usernsRemap),
      dataRoot: root.path,
      execRoot: root.execRoot,
      log,
    }),
  )
  const records = containers.all()
  await network.reconcile({
    known: new Set(records.map(({ id }) => id)),
    alive: new Set(records.filter(isAlive).map(({ id }) => id)),
  })
  opened.use(collectAfterRemovals({ events, images, log }))
  if (natives.hello !== undefined && existsSync(natives.hello)) {
    // Whatever is wrong with it, the disk above all: everything else can be served without it.
    await images
      .importLayout(natives.hello, parseReference('berth/hello:latest'))
      .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'the image berth/hello is not listed'))
  }
  const system = openSystem({
    config: new CurrentConfig(config),
    dataRoot: root,
    containers,
    images,
    volumes,
    events,
    snapshots,
    cgroups: cgroups.layout(),
    runtimes,
    cgroupDriver,
    transfers,
    defaults,
    selinux: selinux.active,
  })
  const lifetime = opened.move()
  return {
    containers,
    images,
    networks: network.registry,
    volumes,
    events,
    system,
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  }
}

/** @throws `invalid` in dockerd's words */
function defaultLogOf({ logDriver: driver, logOptions: options }: Config): LogConfig {
  try {
    parseLogOptions({ driver, options })
  } catch (cause) {
    throw invalid(`failed to set log opts: ${messageOf(cause)}`, { cause })
  }
  return { driver, options }
}

/** On a full disk there is none to take; a daemon must start there all the same, to delete. */
function takeReserve(database: Database, log: Logger): void {
  try {
    database.checkRoom()
  } catch (error) {
    if (!isKind(error, 'no-space')) throw error
    log.warn({ error: messageOf(error) }, 'the disk is full')
  }
}

function imageSource(images: ImageService): ImageSource {
  return {
    getForContainer: (name, platform) => images.getForContainer(name, platform),
    commit: (commit, signal) => images.commit(commit, signal),
    sizeOf: (id: Digest) => {
      try {
        return images.get(id).sizeBytes
      } catch (error) {
        if (isKind(error, 'not-found')) return undefined
        throw error
      }
    },
  }
}

function openRootfsReader(ports: DiffPorts): RootfsReader {
  return {
    changes: (containerId, signal) => listChanges(ports, containerId, signal),
    export: (containerId, signal) => exportTree(ports, containerId, signal),
    copy: (layers, target, signal) => copyTree(ports, { layers, target }, signal),
  }
}

function openContainerFiles(executable: string): ContainerFiles {
  return {
    assemble: ({ mounts, ...rest }) => assembleRoot(executable, { ...rest, mounts: { ...mounts, readOnly: false } }),
    look: (fds, path, signal) => lookIn(executable, fds, path, signal),
    copyOut: (request, signal) => copyOutOf(executable, request, signal),
    copyIn: (request, signal) => runCopyIn(executable, request, signal),
  }
}
