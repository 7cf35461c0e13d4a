// Generated from openapi.yaml by generate.ts. Do not edit.

export type StringList = readonly string[]

export type StringMap = Readonly<Record<string, string>>

/** The keys count; the values are empty objects */
export type NameSet = Readonly<Record<string, object>>

/** A list of words, or one string that is one word */
export type Words = readonly string[]

export interface ErrorResponse {
  readonly "message": string
}

export interface IdResponse {
  readonly "Id": string
}

export interface AuthConfig {
  readonly "username"?: string
  readonly "password"?: string
  readonly "auth"?: string
  readonly "email"?: string
  readonly "serveraddress"?: string
  readonly "identitytoken"?: string
  readonly "registrytoken"?: string
}

export interface DistributionInspect {
  readonly "Descriptor": Descriptor
  readonly "Platforms": readonly Platform[] | null
}

export interface SearchResult {
  readonly "star_count": number
  readonly "is_official": boolean
  readonly "name": string
  readonly "is_automated": boolean
  readonly "description": string
}

export interface AuthAnswer {
  readonly "IdentityToken": string
  readonly "Status": string
}

export interface HealthConfig {
  readonly "Test"?: StringList
  readonly "Interval"?: number
  readonly "Timeout"?: number
  readonly "StartPeriod"?: number
  readonly "StartInterval"?: number
  readonly "Retries"?: number
}

export interface ContainerConfigRequest {
  readonly "Hostname"?: string
  readonly "Domainname"?: string
  readonly "User"?: string
  readonly "AttachStdin"?: boolean
  readonly "AttachStdout"?: boolean
  readonly "AttachStderr"?: boolean
  readonly "ExposedPorts"?: NameSet
  readonly "Tty"?: boolean
  readonly "OpenStdin"?: boolean
  readonly "StdinOnce"?: boolean
  readonly "Env"?: StringList
  readonly "Cmd"?: Words
  readonly "Healthcheck"?: HealthConfig
  readonly "ArgsEscaped"?: boolean
  readonly "Image"?: string
  readonly "Volumes"?: NameSet
  readonly "WorkingDir"?: string
  readonly "Entrypoint"?: Words
  readonly "NetworkDisabled"?: boolean
  readonly "MacAddress"?: string
  readonly "OnBuild"?: StringList
  readonly "Labels"?: StringMap
  readonly "StopSignal"?: string
  readonly "StopTimeout"?: number
  readonly "Shell"?: Words
}

export interface ContainerCreateRequest {
  readonly "Hostname"?: string
  readonly "Domainname"?: string
  readonly "User"?: string
  readonly "AttachStdin"?: boolean
  readonly "AttachStdout"?: boolean
  readonly "AttachStderr"?: boolean
  readonly "ExposedPorts"?: NameSet
  readonly "Tty"?: boolean
  readonly "OpenStdin"?: boolean
  readonly "StdinOnce"?: boolean
  readonly "Env"?: StringList
  readonly "Cmd"?: Words
  readonly "Healthcheck"?: HealthConfig
  readonly "ArgsEscaped"?: boolean
  readonly "Image"?: string
  readonly "Volumes"?: NameSet
  readonly "WorkingDir"?: string
  readonly "Entrypoint"?: Words
  readonly "NetworkDisabled"?: boolean
  readonly "MacAddress"?: string
  readonly "OnBuild"?: StringList
  readonly "Labels"?: StringMap
  readonly "StopSignal"?: string
  readonly "StopTimeout"?: number
  readonly "Shell"?: Words
  readonly "HostConfig"?: HostConfigRequest
  readonly "NetworkingConfig"?: NetworkingConfigRequest
}

export interface PortBinding {
  readonly "HostIp"?: string
  readonly "HostPort"?: string
}

export type PortMap = Readonly<Record<string, readonly PortBinding[]>>

export interface LogConfig {
  readonly "Type"?: string
  readonly "Config"?: StringMap
}

export interface RestartPolicy {
  readonly "Name"?: string
  readonly "MaximumRetryCount"?: number
}

export interface DeviceMapping {
  readonly "PathOnHost"?: string
  readonly "PathInContainer"?: string
  readonly "CgroupPermissions"?: string
}

export interface DeviceRequest {
  readonly "Driver"?: string
  readonly "Count"?: number
  readonly "DeviceIDs"?: StringList
  readonly "Capabilities"?: readonly StringList[]
  readonly "Options"?: StringMap
}

export interface WeightDevice {
  readonly "Path"?: string
  readonly "Weight"?: number
}

export interface ThrottleDevice {
  readonly "Path"?: string
  readonly "Rate"?: number
}

export interface Ulimit {
  readonly "Name"?: string
  readonly "Hard"?: number
  readonly "Soft"?: number
}

export interface BindOptions {
  readonly "Propagation"?: string
  readonly "NonRecursive"?: boolean
  readonly "CreateMountpoint"?: boolean
  readonly "ReadOnlyNonRecursive"?: boolean
  readonly "ReadOnlyForceRecursive"?: boolean
}

export interface VolumeOptions {
  readonly "NoCopy"?: boolean
  readonly "Labels"?: StringMap
  readonly "DriverConfig"?: {
    readonly "Name"?: string
    readonly "Options"?: StringMap
  }
  readonly "Subpath"?: string
}

export interface TmpfsOptions {
  readonly "SizeBytes"?: number
  readonly "Mode"?: number
  readonly "Options"?: readonly StringList[]
}

export interface Mount {
  readonly "Type"?: string
  readonly "Source"?: string
  readonly "Target"?: string
  readonly "ReadOnly"?: boolean
  readonly "Consistency"?: string
  readonly "BindOptions"?: BindOptions
  readonly "VolumeOptions"?: VolumeOptions
  readonly "ImageOptions"?: {
    readonly "Subpath"?: string
  }
  readonly "TmpfsOptions"?: TmpfsOptions
}

export interface HostConfigRequest {
  readonly "Binds"?: StringList
  readonly "ContainerIDFile"?: string
  readonly "LogConfig"?: LogConfig
  readonly "NetworkMode"?: string
  readonly "PortBindings"?: PortMap
  readonly "RestartPolicy"?: RestartPolicy
  readonly "AutoRemove"?: boolean
  readonly "VolumeDriver"?: string
  readonly "VolumesFrom"?: StringList
  readonly "ConsoleSize"?: readonly number[]
  readonly "Annotations"?: StringMap
  readonly "CapAdd"?: Words
  readonly "CapDrop"?: Words
  readonly "CgroupnsMode"?: string
  readonly "Dns"?: StringList
  readonly "DnsOptions"?: StringList
  readonly "DnsSearch"?: StringList
  readonly "ExtraHosts"?: StringList
  readonly "GroupAdd"?: StringList
  readonly "IpcMode"?: string
  readonly "Cgroup"?: string
  readonly "Links"?: StringList
  readonly "OomScoreAdj"?: number
  readonly "PidMode"?: string
  readonly "Privileged"?: boolean
  readonly "PublishAllPorts"?: boolean
  readonly "ReadonlyRootfs"?: boolean
  readonly "SecurityOpt"?: StringList
  readonly "StorageOpt"?: StringMap
  readonly "Tmpfs"?: StringMap
  readonly "UTSMode"?: string
  readonly "UsernsMode"?: string
  readonly "ShmSize"?: number
  readonly "Sysctls"?: StringMap
  readonly "Runtime"?: string
  readonly "Isolation"?: string
  readonly "CpuShares"?: number
  readonly "Memory"?: number
  readonly "NanoCpus"?: number
  readonly "CgroupParent"?: string
  readonly "BlkioWeight"?: number
  readonly "BlkioWeightDevice"?: readonly WeightDevice[]
  readonly "BlkioDeviceReadBps"?: readonly ThrottleDevice[]
  readonly "BlkioDeviceWriteBps"?: readonly ThrottleDevice[]
  readonly "BlkioDeviceReadIOps"?: readonly ThrottleDevice[]
  readonly "BlkioDeviceWriteIOps"?: readonly ThrottleDevice[]
  readonly "CpuPeriod"?: number
  readonly "CpuQuota"?: number
  readonly "CpuRealtimePeriod"?: number
  readonly "CpuRealtimeRuntime"?: number
  readonly "CpusetCpus"?: string
  readonly "CpusetMems"?: string
  readonly "Devices"?: readonly DeviceMapping[]
  readonly "DeviceCgroupRules"?: StringList
  readonly "DeviceRequests"?: readonly DeviceRequest[]
  readonly "MemoryReservation"?: number
  readonly "MemorySwap"?: number
  readonly "MemorySwappiness"?: number
  readonly "OomKillDisable"?: boolean
  readonly "PidsLimit"?: number
  readonly "Ulimits"?: readonly Ulimit[]
  readonly "CpuCount"?: number
  readonly "CpuPercent"?: number
  readonly "IOMaximumIOps"?: number
  readonly "IOMaximumBandwidth"?: number
  readonly "Mounts"?: readonly Mount[]
  readonly "MaskedPaths"?: StringList
  readonly "ReadonlyPaths"?: StringList
  readonly "Init"?: boolean
}

export interface ContainerUpdateRequest {
  readonly "CpuShares"?: number
  readonly "Memory"?: number
  readonly "NanoCpus"?: number
  readonly "BlkioWeight"?: number
  readonly "CpuPeriod"?: number
  readonly "CpuQuota"?: number
  readonly "CpusetCpus"?: string
  readonly "CpusetMems"?: string
  readonly "MemoryReservation"?: number
  readonly "MemorySwap"?: number
  readonly "PidsLimit"?: number
  readonly "RestartPolicy"?: RestartPolicy
}

export interface ContainerUpdateResponse {
  readonly "Warnings": readonly string[] | null
}

export interface EndpointIpamConfig {
  readonly "IPv4Address"?: string
  readonly "IPv6Address"?: string
  readonly "LinkLocalIPs"?: StringList
}

export interface EndpointSettingsRequest {
  readonly "IPAMConfig"?: EndpointIpamConfig
  readonly "Links"?: StringList
  readonly "Aliases"?: StringList
  readonly "MacAddress"?: string
  readonly "DriverOpts"?: StringMap
  readonly "GwPriority"?: number
  readonly "NetworkID"?: string
  readonly "EndpointID"?: string
}

export interface NetworkingConfigRequest {
  readonly "EndpointsConfig"?: Readonly<Record<string, EndpointSettingsRequest>>
}

export interface PortSummary {
  readonly "IP"?: string
  readonly "PrivatePort": number
  readonly "PublicPort"?: number
  readonly "Type": string
}

export interface NetworkCreateRequest {
  readonly "Name"?: string
  readonly "CheckDuplicate"?: boolean
  readonly "Driver"?: string
  readonly "Scope"?: string
  readonly "EnableIPv4"?: boolean
  readonly "EnableIPv6"?: boolean
  readonly "IPAM"?: IpamRequest
  readonly "Internal"?: boolean
  readonly "Attachable"?: boolean
  readonly "Ingress"?: boolean
  readonly "ConfigOnly"?: boolean
  readonly "ConfigFrom"?: {
    readonly "Network"?: string
  }
  readonly "Options"?: StringMap
  readonly "Labels"?: StringMap
}

export interface IpamRequest {
  readonly "Driver"?: string
  readonly "Options"?: StringMap
  readonly "Config"?: readonly IpamConfig[]
}

export interface IpamConfig {
  readonly "Subnet"?: string
  readonly "IPRange"?: string
  readonly "Gateway"?: string
  readonly "AuxiliaryAddresses"?: StringMap
}

export interface NetworkCreateResponse {
  readonly "Id": string
  readonly "Warning": string
}

export interface NetworkConnectRequest {
  readonly "Container"?: string
  readonly "EndpointConfig"?: EndpointSettingsRequest
}

export interface NetworkDisconnectRequest {
  readonly "Container"?: string
  readonly "Force"?: boolean
}

export interface ExecCreateRequest {
  readonly "User"?: string
  readonly "Privileged"?: boolean
  readonly "Tty"?: boolean
  readonly "ConsoleSize"?: readonly number[]
  readonly "AttachStdin"?: boolean
  readonly "AttachStderr"?: boolean
  readonly "AttachStdout"?: boolean
  readonly "DetachKeys"?: string
  readonly "Env"?: StringList
  readonly "WorkingDir"?: string
  readonly "Cmd"?: StringList
}

export interface ExecStartRequest {
  readonly "Detach"?: boolean
  readonly "Tty"?: boolean
  readonly "ConsoleSize"?: readonly number[]
}

export interface ContainerCreateResponse {
  readonly "Id": string
  readonly "Warnings": StringList
}

export interface ContainerWait {
  readonly "StatusCode": number
  readonly "Error"?: {
    readonly "Message": string
  }
}

export interface ContainerStats {
  readonly "name"?: string
  readonly "id"?: string
  readonly "read": string
  readonly "preread": string
  readonly "pids_stats": {
    readonly "current"?: number
    readonly "limit"?: number
  }
  readonly "blkio_stats": Readonly<Record<string, BlkioStats>>
  readonly "num_procs": number
  readonly "storage_stats": object
  readonly "cpu_stats": CpuStats
  readonly "precpu_stats": CpuStats
  readonly "memory_stats": {
    readonly "usage"?: number
    readonly "max_usage"?: number
    readonly "stats"?: Readonly<Record<string, number>>
    readonly "failcnt"?: number
    readonly "limit"?: number
  }
  readonly "networks"?: Readonly<Record<string, LinkStats>>
}

export type BlkioStats = readonly ({
  readonly "major": number
  readonly "minor": number
  readonly "op": string
  readonly "value": number
})[] | null

export interface CpuStats {
  readonly "cpu_usage": {
    readonly "total_usage": number
    readonly "percpu_usage"?: readonly number[]
    readonly "usage_in_kernelmode": number
    readonly "usage_in_usermode": number
  }
  readonly "system_cpu_usage"?: number
  readonly "online_cpus"?: number
  readonly "throttling_data": {
    readonly "periods": number
    readonly "throttled_periods": number
    readonly "throttled_time": number
  }
}

export interface LinkStats {
  readonly "rx_bytes": number
  readonly "rx_packets": number
  readonly "rx_errors": number
  readonly "rx_dropped": number
  readonly "tx_bytes": number
  readonly "tx_packets": number
  readonly "tx_errors": number
  readonly "tx_dropped": number
}

export interface ContainerTop {
  readonly "Titles": StringList
  readonly "Processes": readonly StringList[]
}

export type FilesystemChanges = readonly ({
  /** 0 modified, 1 added, 2 deleted. */
  readonly "Kind": number
  readonly "Path": string
})[]

export interface Descriptor {
  readonly "mediaType": string
  readonly "digest": string
  readonly "size": number
  readonly "urls"?: StringList
  readonly "annotations"?: StringMap
  readonly "platform"?: Platform
}

export interface Platform {
  readonly "architecture": string
  readonly "os": string
  readonly "variant"?: string
  readonly "os.version"?: string
  readonly "os.features"?: StringList
}

export interface ContainerState {
  readonly "Status": "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead"
  readonly "Running": boolean
  readonly "Paused": boolean
  readonly "Restarting": boolean
  readonly "OOMKilled": boolean
  readonly "Dead": boolean
  readonly "Pid": number
  readonly "ExitCode": number
  readonly "Error": string
  readonly "StartedAt": string
  readonly "FinishedAt": string
  readonly "Health"?: Health
}

export interface Health {
  readonly "Status": "none" | "starting" | "healthy" | "unhealthy"
  readonly "FailingStreak": number
  readonly "Log": readonly HealthResult[]
}

export interface HealthResult {
  readonly "Start": string
  readonly "End": string
  readonly "ExitCode": number
  readonly "Output": string
}

export interface MountPoint {
  readonly "Type": string
  readonly "Name"?: string
  readonly "Source": string
  readonly "Destination": string
  readonly "Driver"?: string
  readonly "Mode": string
  readonly "RW": boolean
  readonly "Propagation": string
}

export interface EndpointSettings {
  readonly "IPAMConfig": object | null
  readonly "Links": readonly string[] | null
  readonly "Aliases": readonly string[] | null
  readonly "MacAddress": string
  readonly "DriverOpts": Readonly<Record<string, string>> | null
  readonly "GwPriority"?: number
  readonly "NetworkID": string
  readonly "EndpointID": string
  readonly "Gateway": string
  readonly "IPAddress": string
  readonly "IPPrefixLen": number
  readonly "IPv6Gateway": string
  readonly "GlobalIPv6Address": string
  readonly "GlobalIPv6PrefixLen": number
  readonly "DNSNames"?: readonly string[] | null
}

export interface NetworkSettings {
  readonly "Bridge": string
  readonly "SandboxID": string
  readonly "SandboxKey": string
  readonly "Ports": Readonly<Record<string, readonly PortBinding[] | null>>
  readonly "HairpinMode": boolean
  readonly "LinkLocalIPv6Address": string
  readonly "LinkLocalIPv6PrefixLen": number
  readonly "SecondaryIPAddresses": readonly object[] | null
  readonly "SecondaryIPv6Addresses": readonly object[] | null
  readonly "EndpointID": string
  readonly "Gateway": string
  readonly "GlobalIPv6Address": string
  readonly "GlobalIPv6PrefixLen": number
  readonly "IPAddress": string
  readonly "IPPrefixLen": number
  readonly "IPv6Gateway": string
  readonly "MacAddress": string
  readonly "Networks": Readonly<Record<string, EndpointSettings>>
}

export interface ContainerConfig {
  readonly "Hostname": string
  readonly "Domainname": string
  readonly "User": string
  readonly "AttachStdin": boolean
  readonly "AttachStdout": boolean
  readonly "AttachStderr": boolean
  readonly "ExposedPorts"?: NameSet
  readonly "Tty": boolean
  readonly "OpenStdin": boolean
  readonly "StdinOnce": boolean
  readonly "Env": readonly string[] | null
  readonly "Cmd": readonly string[] | null
  readonly "Healthcheck"?: HealthConfig
  readonly "Image": string
  readonly "Volumes": Readonly<Record<string, object>> | null
  readonly "WorkingDir": string
  readonly "Entrypoint": readonly string[] | null
  readonly "NetworkDisabled"?: boolean
  readonly "OnBuild": readonly string[] | null
  readonly "Labels": StringMap
  readonly "StopSignal"?: string
  readonly "StopTimeout"?: number
  readonly "Shell"?: StringList
}

export interface HostConfig {
  readonly "Binds": readonly string[] | null
  readonly "ContainerIDFile": string
  readonly "LogConfig": {
    readonly "Type": string
    readonly "Config": StringMap
  }
  readonly "NetworkMode": string
  readonly "PortBindings": Readonly<Record<string, readonly PortBinding[]>> | null
  readonly "RestartPolicy": {
    readonly "Name": string
    readonly "MaximumRetryCount": number
  }
  readonly "AutoRemove": boolean
  readonly "VolumeDriver": string
  readonly "VolumesFrom": readonly string[] | null
  readonly "ConsoleSize": readonly number[]
  readonly "Annotations"?: StringMap
  readonly "CapAdd": readonly string[] | null
  readonly "CapDrop": readonly string[] | null
  readonly "CgroupnsMode": string
  readonly "Dns": readonly string[] | null
  readonly "DnsOptions": readonly string[] | null
  readonly "DnsSearch": readonly string[] | null
  readonly "ExtraHosts": readonly string[] | null
  readonly "GroupAdd": readonly string[] | null
  readonly "IpcMode": string
  readonly "Cgroup": string
  readonly "Links": readonly string[] | null
  readonly "OomScoreAdj": number
  readonly "PidMode": string
  readonly "Privileged": boolean
  readonly "PublishAllPorts": boolean
  readonly "ReadonlyRootfs": boolean
  readonly "SecurityOpt": readonly string[] | null
  readonly "StorageOpt"?: StringMap
  readonly "Tmpfs"?: StringMap
  readonly "UTSMode": string
  readonly "UsernsMode": string
  readonly "ShmSize": number
  readonly "Sysctls"?: StringMap
  readonly "Runtime": string
  readonly "Isolation": string
  readonly "CpuShares": number
  readonly "Memory": number
  readonly "NanoCpus": number
  readonly "CgroupParent": string
  readonly "BlkioWeight": number
  readonly "BlkioWeightDevice": readonly object[] | null
  readonly "BlkioDeviceReadBps": readonly object[] | null
  readonly "BlkioDeviceWriteBps": readonly object[] | null
  readonly "BlkioDeviceReadIOps": readonly object[] | null
  readonly "BlkioDeviceWriteIOps": readonly object[] | null
  readonly "CpuPeriod": number
  readonly "CpuQuota": number
  readonly "CpuRealtimePeriod": number
  readonly "CpuRealtimeRuntime": number
  readonly "CpusetCpus": string
  readonly "CpusetMems": string
  readonly "Devices": readonly DeviceMapping[] | null
  readonly "DeviceCgroupRules": readonly string[] | null
  readonly "DeviceRequests": readonly object[] | null
  readonly "MemoryReservation": number
  readonly "MemorySwap": number
  readonly "MemorySwappiness": number | null
  readonly "OomKillDisable": boolean | null
  readonly "PidsLimit": number | null
  readonly "Ulimits": readonly Ulimit[] | null
  readonly "CpuCount": number
  readonly "CpuPercent": number
  readonly "IOMaximumIOps": number
  readonly "IOMaximumBandwidth": number
  readonly "Mounts"?: readonly Mount[]
  readonly "MaskedPaths": readonly string[] | null
  readonly "ReadonlyPaths": readonly string[] | null
  readonly "Init"?: boolean
}

export interface GraphDriver {
  readonly "Name": string
  readonly "Data": Readonly<Record<string, string>> | null
}

export interface ContainerInspect {
  readonly "Id": string
  readonly "Created": string
  readonly "Path": string
  readonly "Args": StringList
  readonly "State": ContainerState
  readonly "Image": string
  readonly "ResolvConfPath": string
  readonly "HostnamePath": string
  readonly "HostsPath": string
  readonly "LogPath": string
  readonly "Name": string
  readonly "RestartCount": number
  readonly "Driver": string
  readonly "Platform": string
  readonly "MountLabel": string
  readonly "ProcessLabel": string
  readonly "AppArmorProfile": string
  readonly "ExecIDs": readonly string[] | null
  readonly "HostConfig": HostConfig
  readonly "GraphDriver": GraphDriver
  readonly "SizeRw"?: number
  readonly "SizeRootFs"?: number
  readonly "Mounts": readonly MountPoint[]
  readonly "Config": ContainerConfig
  readonly "NetworkSettings": NetworkSettings
  readonly "ImageManifestDescriptor"?: Descriptor
}

export interface ContainerSummary {
  readonly "Id": string
  readonly "Names": StringList
  readonly "Image": string
  readonly "ImageID": string
  readonly "ImageManifestDescriptor"?: Descriptor
  readonly "Command": string
  readonly "Created": number
  readonly "Ports": readonly PortSummary[]
  readonly "SizeRw"?: number
  readonly "SizeRootFs"?: number
  readonly "Labels": StringMap
  readonly "State": string
  readonly "Status": string
  readonly "HostConfig": {
    readonly "NetworkMode"?: string
    readonly "Annotations"?: StringMap
  }
  readonly "NetworkSettings": {
    readonly "Networks": Readonly<Record<string, EndpointSettings>>
  }
  readonly "Mounts": readonly MountPoint[]
}

export interface ExecInspect {
  readonly "ID": string
  readonly "Running": boolean
  readonly "ExitCode": number | null
  readonly "ProcessConfig": {
    readonly "tty": boolean
    readonly "entrypoint": string
    readonly "arguments": StringList
    readonly "privileged"?: boolean
    readonly "user"?: string
  }
  readonly "OpenStdin": boolean
  readonly "OpenStderr": boolean
  readonly "OpenStdout": boolean
  readonly "CanRemove": boolean
  readonly "ContainerID": string
  readonly "DetachKeys": string
  readonly "Pid": number
}

export interface ImageSummary {
  readonly "Id": string
  readonly "ParentId": string
  readonly "RepoTags": readonly string[] | null
  readonly "RepoDigests": readonly string[] | null
  readonly "Created": number
  readonly "Size": number
  /** Before 1.44. */
  readonly "VirtualSize"?: number
  readonly "SharedSize": number
  readonly "Labels": Readonly<Record<string, string>> | null
  readonly "Containers": number
  readonly "Descriptor"?: Descriptor
  readonly "Manifests"?: readonly ManifestSummary[]
}

export interface ManifestSummary {
  readonly "ID": string
  readonly "Descriptor": Descriptor
  readonly "Available": boolean
  readonly "Size": {
    readonly "Content": number
    readonly "Total": number
  }
  readonly "Kind": "image" | "attestation"
  readonly "ImageData"?: {
    readonly "Platform": Platform
    readonly "Size": {
      readonly "Unpacked": number
    }
    readonly "Containers": readonly string[] | null
  }
  readonly "AttestationData"?: {
    readonly "For": string
  }
}

export interface ImageInspect {
  readonly "Id": string
  readonly "Descriptor"?: Descriptor
  readonly "Manifests"?: readonly ManifestSummary[]
  readonly "RepoTags": StringList
  readonly "RepoDigests": StringList
  readonly "Parent": string
  readonly "Comment": string
  readonly "Created"?: string
  /** Before 1.45. */
  readonly "Container"?: string
  /** Before 1.45. */
  readonly "ContainerConfig"?: Readonly<Record<string, unknown>>
  readonly "DockerVersion": string
  readonly "Author": string
  readonly "Config"?: Readonly<Record<string, unknown>>
  readonly "Architecture": string
  readonly "Variant"?: string
  readonly "Os": string
  readonly "Size": number
  /** Before 1.44. */
  readonly "VirtualSize"?: number
  readonly "GraphDriver": GraphDriver
  readonly "RootFS": {
    readonly "Type": string
    readonly "Layers"?: StringList
  }
  readonly "Metadata": {
    readonly "LastTagTime": string
  }
}

export interface ImageHistoryItem {
  readonly "Id": string
  readonly "Created": number
  readonly "CreatedBy": string
  readonly "Tags": readonly string[] | null
  readonly "Size": number
  readonly "Comment": string
}

export interface ImageDeleteItem {
  readonly "Untagged"?: string
  readonly "Deleted"?: string
}

/** A line of a progress stream */
export interface JsonMessage {
  readonly "status"?: string
  /** A line to be shown as it is. */
  readonly "stream"?: string
  readonly "id"?: string
  readonly "progressDetail"?: {
    readonly "current"?: number
    readonly "total"?: number
  }
  readonly "progress"?: string
  /** Besides Docker's fields, with what a pull downloads: all layers of the image together, in bytes. */
  readonly "overall"?: {
    readonly "current": number
    readonly "total": number
    /** Of the last five seconds. */
    readonly "bytesPerSecond"?: number
    readonly "remainingSeconds"?: number
  }
  /** Facts for programs: Tag, Digest and Size of what was pushed. */
  readonly "aux"?: object
  readonly "error"?: string
  readonly "errorDetail"?: {
    readonly "code"?: number
    readonly "message": string
  }
}

export interface EventMessage {
  /** Before 1.52, containers and images only; so are id and from. */
  readonly "status"?: string
  readonly "id"?: string
  readonly "from"?: string
  readonly "Type": string
  readonly "Action": string
  readonly "Actor": {
    readonly "ID": string
    readonly "Attributes": StringMap
  }
  readonly "scope": string
  readonly "time": number
  /** Larger than a JavaScript number can hold exactly. */
  readonly "timeNano": number
}

export interface Network {
  readonly "Name": string
  readonly "Id": string
  readonly "Created": string
  readonly "Scope": string
  readonly "Driver": string
  readonly "EnableIPv4": boolean
  readonly "EnableIPv6": boolean
  readonly "IPAM": {
    readonly "Driver": string
    readonly "Options": Readonly<Record<string, string>> | null
    readonly "Config": readonly IpamConfig[] | null
  }
  readonly "Internal": boolean
  readonly "Attachable": boolean
  readonly "Ingress": boolean
  readonly "ConfigFrom": {
    readonly "Network": string
  }
  readonly "ConfigOnly": boolean
  readonly "Containers": Readonly<Record<string, NetworkContainer>>
  readonly "Options": StringMap
  readonly "Labels": StringMap
}

export interface NetworkContainer {
  readonly "Name": string
  readonly "EndpointID": string
  readonly "MacAddress": string
  readonly "IPv4Address": string
  readonly "IPv6Address": string
}

export interface CheckMessage {
  readonly "Progress"?: {
    readonly "What": string
    readonly "Done": number
    readonly "Total": number
  }
  readonly "Finding"?: CheckFinding
  readonly "Summary"?: CheckSummary
  readonly "error"?: string
  readonly "errorDetail"?: {
    readonly "message"?: string
  }
}

export interface CheckFinding {
  readonly "Object": "database" | "blob" | "layer" | "container"
  readonly "Name": string
  readonly "Problem": "damaged" | "missing" | "unneeded"
  readonly "Details": StringList
  readonly "Images": StringList
  readonly "Containers": StringList
  readonly "Repair"?: "rewritten" | "fetched" | "unpacked" | "removed" | "set-aside" | "unlisted"
  readonly "Failure"?: string
}

export interface CheckSummary {
  readonly "Blobs": number
  readonly "Layers": number
  /** Layers that are not recorded yet and were not compared. */
  readonly "Unrecorded": number
  readonly "Problems": number
  readonly "Repaired": number
}

export interface DiskUsage {
  readonly "LayersSize": number
  readonly "Images": readonly ImageSummary[] | null
  readonly "Containers": readonly ContainerSummary[] | null
  readonly "Volumes": readonly Volume[] | null
  readonly "BuildCache": readonly object[] | null
}

export interface ContainerPruneReport {
  readonly "ContainersDeleted": readonly string[] | null
  readonly "SpaceReclaimed": number
}

export interface ImagePruneReport {
  readonly "ImagesDeleted": readonly ImageDeleteItem[] | null
  readonly "SpaceReclaimed": number
}

export interface BuildPruneReport {
  readonly "CachesDeleted": readonly string[] | null
  readonly "SpaceReclaimed": number
}

export interface NetworkPruneReport {
  readonly "NetworksDeleted": readonly string[] | null
}

export interface VolumeCreateRequest {
  readonly "Name"?: string
  readonly "Driver"?: string
  readonly "DriverOpts"?: StringMap
  readonly "Labels"?: StringMap
}

export interface Volume {
  readonly "CreatedAt"?: string
  readonly "Driver": string
  readonly "Labels": Readonly<Record<string, string>> | null
  readonly "Mountpoint": string
  readonly "Name": string
  readonly "Options": Readonly<Record<string, string>> | null
  readonly "Scope": "local" | "global"
  readonly "Status"?: object
  readonly "UsageData"?: {
    readonly "RefCount": number
    readonly "Size": number
  }
}

export interface VolumePruneReport {
  readonly "VolumesDeleted": readonly string[]
  readonly "SpaceReclaimed": number
}

export interface VolumeList {
  readonly "Volumes": readonly Volume[]
  readonly "Warnings": readonly string[] | null
}

export interface SystemVersion {
  readonly "Platform": {
    readonly "Name": string
  }
  readonly "Components": readonly ({
    readonly "Name": string
    readonly "Version": string
    readonly "Details"?: StringMap
  })[]
  readonly "Version": string
  readonly "ApiVersion": string
  readonly "MinAPIVersion": string
  readonly "GitCommit": string
  readonly "GoVersion": string
  readonly "Os": string
  readonly "Arch": string
  readonly "KernelVersion": string
  readonly "Experimental"?: boolean
  readonly "BuildTime": string
}

export interface Commit {
  readonly "ID": string
  readonly "Expected"?: string
}

export interface SystemInfo {
  readonly "ID": string
  readonly "Containers": number
  readonly "ContainersRunning": number
  readonly "ContainersPaused": number
  readonly "ContainersStopped": number
  readonly "Images": number
  readonly "Driver": string
  readonly "DriverStatus": readonly StringList[]
  readonly "Plugins": {
    readonly "Volume": StringList
    readonly "Network": StringList
    readonly "Authorization": readonly string[] | null
    readonly "Log": StringList
  }
  readonly "MemoryLimit": boolean
  readonly "SwapLimit": boolean
  /** Before 1.42. */
  readonly "KernelMemory"?: boolean
  readonly "KernelMemoryTCP"?: boolean
  /** Since 1.49. */
  readonly "FirewallBackend"?: {
    readonly "Driver": string
  }
  readonly "CpuCfsPeriod": boolean
  readonly "CpuCfsQuota": boolean
  readonly "CPUShares": boolean
  readonly "CPUSet": boolean
  readonly "PidsLimit": boolean
  readonly "IPv4Forwarding": boolean
  /** Before 1.50. */
  readonly "BridgeNfIptables"?: boolean
  /** Before 1.50. */
  readonly "BridgeNfIp6tables"?: boolean
  readonly "Debug": boolean
  readonly "NFd": number
  readonly "OomKillDisable": boolean
  readonly "NGoroutines": number
  readonly "SystemTime": string
  readonly "LoggingDriver": string
  readonly "CgroupDriver": string
  readonly "CgroupVersion": string
  readonly "NEventsListener": number
  readonly "KernelVersion": string
  readonly "OperatingSystem": string
  readonly "OSVersion": string
  readonly "OSType": string
  readonly "Architecture": string
  readonly "IndexServerAddress": string
  readonly "RegistryConfig": {
    /** Before 1.49. */
    readonly "AllowNondistributableArtifactsCIDRs"?: null
    /** Before 1.49. */
    readonly "AllowNondistributableArtifactsHostnames"?: null
    readonly "InsecureRegistryCIDRs": StringList
    readonly "IndexConfigs": Readonly<Record<string, IndexConfig>>
    readonly "Mirrors": readonly string[] | null
  }
  readonly "NCPU": number
  readonly "MemTotal": number
  readonly "GenericResources": null
  readonly "DockerRootDir": string
  readonly "HttpProxy": string
  readonly "HttpsProxy": string
  readonly "NoProxy": string
  readonly "Name": string
  readonly "Labels": StringList
  readonly "ExperimentalBuild": boolean
  readonly "ServerVersion": string
  readonly "Runtimes": Readonly<Record<string, {
    readonly "path": string
  }>>
  readonly "DefaultRuntime": string
  readonly "Swarm": {
    readonly "NodeID": string
    readonly "NodeAddr": string
    readonly "LocalNodeState": string
    readonly "ControlAvailable": boolean
    readonly "Error": string
    readonly "RemoteManagers": null
  }
  readonly "LiveRestoreEnabled": boolean
  readonly "Isolation": string
  readonly "InitBinary": string
  readonly "ContainerdCommit": Commit
  readonly "RuncCommit": Commit
  readonly "InitCommit": Commit
  readonly "SecurityOptions": StringList
  readonly "CDISpecDirs": StringList
  readonly "Warnings": readonly string[] | null
}

export interface IndexConfig {
  readonly "Name": string
  readonly "Mirrors": StringList
  readonly "Secure": boolean
  readonly "Official": boolean
}

/** Every operation with the names of its parameters and the type of its body. */
export interface Operations {
  /** Answers OK; the headers tell what the engine is. */
  "GET /_ping": { path: never; query: never; body: undefined }
  /** As GET without the body. */
  "HEAD /_ping": { path: never; query: never; body: undefined }
  /** Version of the engine and its parts. */
  "GET /version": { path: never; query: never; body: undefined }
  /** Facts about the engine and its host. */
  "GET /info": { path: never; query: never; body: undefined }
  /** Checks registry credentials. */
  "POST /auth": { path: never; query: never; body: AuthConfig }
  /** A stream of what happens, one JSON object a line. */
  "GET /events": { path: never; query: "since" | "until" | "filters"; body: undefined }
  /** Disk usage by kind of object. */
  "GET /system/df": { path: never; query: "type"; body: undefined }
  /** Checks what is stored; progress, findings and a summary follow, one JSON object a line. */
  "POST /x/system/check": { path: never; query: "repair"; body: undefined }
  /** Lists containers, newest first. */
  "GET /containers/json": { path: never; query: "all" | "limit" | "size" | "since" | "before" | "filters"; body: undefined }
  /** Makes a container. */
  "POST /containers/create": { path: never; query: "name" | "platform"; body: ContainerCreateRequest }
  /** Removes containers that do not run. */
  "POST /containers/prune": { path: never; query: "filters"; body: undefined }
  /** All about one container. */
  "GET /containers/{id}/json": { path: "id"; query: "size"; body: undefined }
  /** Processes of a running container, as ps prints them. */
  "GET /containers/{id}/top": { path: "id"; query: "ps_args"; body: undefined }
  /** Output so far, and on. */
  "GET /containers/{id}/logs": { path: "id"; query: "follow" | "stdout" | "stderr" | "since" | "until" | "timestamps" | "details" | "tail"; body: undefined }
  /** Starts a container. */
  "POST /containers/{id}/start": { path: "id"; query: "detachKeys" | "checkpoint" | "checkpoint-dir"; body: undefined }
  /** Asks a container to end, then kills it. */
  "POST /containers/{id}/stop": { path: "id"; query: "t" | "signal"; body: undefined }
  /** Stop and start. */
  "POST /containers/{id}/restart": { path: "id"; query: "t" | "signal"; body: undefined }
  /** Sends a signal to a container's first process. */
  "POST /containers/{id}/kill": { path: "id"; query: "signal"; body: undefined }
  /** Changes limits, of what runs at once, and the restart policy; what is 0 or absent stays. */
  "POST /containers/{id}/update": { path: "id"; query: never; body: ContainerUpdateRequest }
  /** Gives a container another name. */
  "POST /containers/{id}/rename": { path: "id"; query: "name"; body: undefined }
  /** Freezes all processes. */
  "POST /containers/{id}/pause": { path: "id"; query: never; body: undefined }
  /** Thaws all processes. */
  "POST /containers/{id}/unpause": { path: "id"; query: never; body: undefined }
  /** Sets the size of a container's terminal. */
  "POST /containers/{id}/resize": { path: "id"; query: "h" | "w"; body: undefined }
  /** Turns the connection into the standard streams of a container. */
  "POST /containers/{id}/attach": { path: "id"; query: "detachKeys" | "logs" | "stream" | "stdin" | "stdout" | "stderr"; body: undefined }
  /** Attach over a WebSocket; output comes unframed, and before 1.42 all streams are attached. */
  "GET /containers/{id}/attach/ws": { path: "id"; query: "detachKeys" | "logs" | "stream" | "stdin" | "stdout" | "stderr"; body: undefined }
  /** Answers at once with headers, and with the exit code when the container ends. */
  "POST /containers/{id}/wait": { path: "id"; query: "condition"; body: undefined }
  /** Removes a container. */
  "DELETE /containers/{id}": { path: "id"; query: "v" | "force" | "link"; body: undefined }
  /** What lies at a path, in the header X-Docker-Container-Path-Stat. */
  "HEAD /containers/{id}/archive": { path: "id"; query: "path"; body: undefined }
  /** A tar of a path; gzip where it is accepted. */
  "GET /containers/{id}/archive": { path: "id"; query: "path"; body: undefined }
  /** Unpacks a tar, which may be compressed, in a directory. */
  "PUT /containers/{id}/archive": { path: "id"; query: "path" | "noOverwriteDirNonDir" | "copyUIDGID"; body: undefined }
  /** Changed files. */
  "GET /containers/{id}/changes": { path: "id"; query: never; body: undefined }
  /** A tar of the root. */
  "GET /containers/{id}/export": { path: "id"; query: never; body: undefined }
  /** Resource usage, one object a second. */
  "GET /containers/{id}/stats": { path: "id"; query: "stream" | "one-shot"; body: undefined }
  /** Prepares a command in a running container. */
  "POST /containers/{id}/exec": { path: "id"; query: never; body: ExecCreateRequest }
  /** Starts a prepared command; unless detached, the connection becomes its standard streams. */
  "POST /exec/{id}/start": { path: "id"; query: never; body: ExecStartRequest }
  /** Sets the size of a command's terminal. */
  "POST /exec/{id}/resize": { path: "id"; query: "h" | "w"; body: undefined }
  /** All about one command. */
  "GET /exec/{id}/json": { path: "id"; query: never; body: undefined }
  /** Lists images. */
  "GET /images/json": { path: never; query: "all" | "filters" | "filter" | "shared-size" | "digests" | "manifests"; body: undefined }
  /** Pulls an image; progress follows, one JSON object a line. */
  "POST /images/create": { path: never; query: "fromImage" | "fromSrc" | "repo" | "tag" | "message" | "changes" | "platform"; body: undefined }
  /** Searches the index of a registry. */
  "GET /images/search": { path: never; query: "term" | "limit" | "filters"; body: undefined }
  /** Removes unused images. */
  "POST /images/prune": { path: never; query: "filters"; body: undefined }
  /** A tar of several images. */
  "GET /images/get": { path: never; query: "names" | "platform"; body: undefined }
  /** Takes images from a tar; progress follows, one JSON object a line. */
  "POST /images/load": { path: never; query: "quiet" | "platform"; body: undefined }
  /** All about one image. */
  "GET /images/{name}/json": { path: "name"; query: "manifests" | "platform"; body: undefined }
  /** How an image was made, newest step first. */
  "GET /images/{name}/history": { path: "name"; query: "platform"; body: undefined }
  /** Gives an image one more reference. */
  "POST /images/{name}/tag": { path: "name"; query: "repo" | "tag"; body: undefined }
  /** Pushes one tag or all tags of a repository; progress follows, one JSON object a line. */
  "POST /images/{name}/push": { path: "name"; query: "tag" | "platform"; body: undefined }
  /** A tar of an image. */
  "GET /images/{name}/get": { path: "name"; query: "platform"; body: undefined }
  /** Takes a reference away, and the image with its last one. */
  "DELETE /images/{name}": { path: "name"; query: "force" | "noprune" | "platforms"; body: undefined }
  /** What a registry has. */
  "GET /distribution/{name}/json": { path: "name"; query: never; body: undefined }
  /** An image from a container. */
  "POST /commit": { path: never; query: "container" | "repo" | "tag" | "comment" | "author" | "pause" | "changes"; body: ContainerCreateRequest }
  /** An image from a Dockerfile. */
  "POST /build": { path: never; query: never; body: undefined }
  /** Empties the build cache, in which there is nothing yet. */
  "POST /build/prune": { path: never; query: "filters" | "all" | "keep-storage"; body: undefined }
  /** Ends a build. */
  "POST /build/cancel": { path: never; query: never; body: undefined }
  /** A BuildKit session. */
  "POST /session": { path: never; query: never; body: undefined }
  /** BuildKit's own interface. */
  "POST /grpc": { path: never; query: never; body: undefined }
  /** Lists networks. */
  "GET /networks": { path: never; query: "filters"; body: undefined }
  /** Makes a network. */
  "POST /networks/create": { path: never; query: never; body: NetworkCreateRequest }
  /** Removes unused networks. */
  "POST /networks/prune": { path: never; query: "filters"; body: undefined }
  /** All about one network. */
  "GET /networks/{id}": { path: "id"; query: "verbose" | "scope"; body: undefined }
  /** Removes a network. */
  "DELETE /networks/{id}": { path: "id"; query: never; body: undefined }
  /** Attaches a container. */
  "POST /networks/{id}/connect": { path: "id"; query: never; body: NetworkConnectRequest }
  /** Detaches a container. */
  "POST /networks/{id}/disconnect": { path: "id"; query: never; body: NetworkDisconnectRequest }
  /** Lists volumes. */
  "GET /volumes": { path: never; query: "filters"; body: undefined }
  /** Makes a volume, or finds the one of that name. */
  "POST /volumes/create": { path: never; query: never; body: VolumeCreateRequest }
  /** Removes unused volumes. */
  "POST /volumes/prune": { path: never; query: "filters"; body: undefined }
  /** All about one volume. */
  "GET /volumes/{name}": { path: "name"; query: never; body: undefined }
  /** Changes a cluster volume. */
  "PUT /volumes/{name}": { path: "name"; query: never; body: undefined }
  /** Removes a volume. */
  "DELETE /volumes/{name}": { path: "name"; query: "force"; body: undefined }
  /** Lists plugins; Berth has none. */
  "GET /plugins": { path: never; query: never; body: undefined }
}
