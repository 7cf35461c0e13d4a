export const defaultConfigFile = '/etc/berth/daemon.json'

export const help = `Usage:  berth daemon [OPTIONS]

The container engine: serves the Docker Engine API.

Options:
      --add-runtime list             OCI runtime that containers can ask for (name=path)
      --bip string                   IP address of the default bridge, with prefix length
      --cdi-spec-dir list            Directory of CDI files (default /etc/cdi and /var/run/cdi)
      --cgroup-parent string         Cgroup in which containers are that name none
      --config-file string           Configuration file (default "${defaultConfigFile}")
      --data-root string             Directory of persistent state (default "/var/lib/berth")
  -D, --debug                        Debug messages
      --default-runtime string       Runtime of containers that name none (default "berth")
      --default-address-pool list    Addresses for networks (base=10.10.0.0/16,size=24)
      --default-cgroupns-mode string Cgroup namespace of containers: private or host (default "private")
      --default-ipc-mode string      IPC of containers: private or shareable (default "private")
      --default-shm-size bytes       Size of /dev/shm (default 64MiB)
      --default-ulimit list          Limit of processes in containers (name=soft:hard)
      --dns list                     DNS server of containers that name none
      --dns-opt list                 DNS option of containers that name none
      --dns-search list              DNS search domain of containers that name none
      --docker-socket                Serve /var/run/docker.sock too, where nobody else does
      --exec-opt list                Runtime options: native.cgroupdriver=cgroupfs or =systemd
      --exec-root string             Directory of the state of running containers (default "/run/berth")
  -G, --group string                 Group that may use the unix sockets (default: docker or berth, if there is one)
      --host-gateway-ip list         What host-gateway in --add-host means (default: the bridge's address)
  -H, --host list                    Socket to listen on (default unix:///run/berth/berth.sock)
      --help                         Print this text
      --http-proxy string            Proxy for http:// (default: HTTP_PROXY of the environment)
      --https-proxy string           Proxy for https:// (default: HTTPS_PROXY of the environment)
      --init                         An init in containers that say nothing of it
      --init-path string             The program of that init (default: the built-in one)
      --insecure-registry list       Registry, or network of registries, that needs no TLS
      --ip string                    Where the default bridge publishes ports (default "0.0.0.0")
      --label list                   Label of the engine (key=value)
      --log-driver string            Keeper of the output of containers that name none (default "json-file")
      --log-format string            Format of the log: text or json (default "text")
  -l, --log-level string             Level of the log: trace, debug, info, warn, error or fatal (default "info")
      --log-opt list                 Option of the log driver (key=value)
      --max-concurrent-downloads int Layers downloaded at a time (default 3)
      --max-concurrent-uploads int   Layers uploaded at a time (default 5)
      --max-download-attempts int    Attempts for each download (default 5)
      --mtu int                      MTU of container networks (default 1500)
      --no-new-privileges            No new privileges in containers that say nothing of it
      --no-proxy string              Hosts reached without a proxy (default: NO_PROXY of the environment)
  -p, --pidfile string               File for the daemon's process id
      --registry-mirror list         Registry to ask before docker.io
      --validate                     Check the configuration and end
      --userns-remap string          User and group whose subordinate ids containers get, or "default"
      --seccomp-profile string       Seccomp profile: a path, builtin or unconfined (default "builtin")
      --selinux-enabled              SELinux labels for containers, where the host has SELinux
      --storage-opt list             What containers may write, if they do not say: overlay2.size=10G
      --shutdown-timeout int         Taken; containers are left running at shutdown (default 15)
      --tls                          TLS on tcp://; implied by --tlsverify
      --tlscacert string             Certificates of whoever signs those of clients
      --tlscert string               Certificate of the daemon
      --tlskey string                Key of that certificate
      --tlsverify                    TLS on tcp://, for clients with a certificate
`

export const options = {
  'add-runtime': { type: 'string', multiple: true },
  bip: { type: 'string' },
  'cdi-spec-dir': { type: 'string', multiple: true },
  'cgroup-parent': { type: 'string' },
  'config-file': { type: 'string' },
  'data-root': { type: 'string' },
  debug: { type: 'boolean', short: 'D' },
  'default-runtime': { type: 'string' },
  'default-address-pool': { type: 'string', multiple: true },
  'default-cgroupns-mode': { type: 'string' },
  'default-ipc-mode': { type: 'string' },
  'default-shm-size': { type: 'string' },
  'default-ulimit': { type: 'string', multiple: true },
  dns: { type: 'string', multiple: true },
  'dns-opt': { type: 'string', multiple: true },
  'dns-search': { type: 'string', multiple: true },
  'docker-socket': { type: 'boolean' },
  'exec-opt': { type: 'string', multiple: true },
  'exec-root': { type: 'string' },
  group: { type: 'string', short: 'G' },
  host: { type: 'string', short: 'H', multiple: true },
  'host-gateway-ip': { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
  'http-proxy': { type: 'string' },
  'https-proxy': { type: 'string' },
  init: { type: 'boolean' },
  'init-path': { type: 'string' },
  'insecure-registry': { type: 'string', multiple: true },
  ip: { type: 'string' },
  label: { type: 'string', multiple: true },
  'log-driver': { type: 'string' },
  'log-format': { type: 'string' },
  'log-level': { type: 'string', short: 'l' },
  'log-opt': { type: 'string', multiple: true },
  'max-concurrent-downloads': { type: 'string' },
  'max-concurrent-uploads': { type: 'string' },
  'max-download-attempts': { type: 'string' },
  mtu: { type: 'string' },
  'no-new-privileges': { type: 'boolean' },
  'no-proxy': { type: 'string' },
  pidfile: { type: 'string', short: 'p' },
  'registry-mirror': { type: 'string', multiple: true },
  'seccomp-profile': { type: 'string' },
  'selinux-enabled': { type: 'boolean' },
  'storage-opt': { type: 'string', multiple: true },
  'shutdown-timeout': { type: 'string' },
  tls: { type: 'boolean' },
  tlscacert: { type: 'string' },
  tlscert: { type: 'string' },
  tlskey: { type: 'string' },
  tlsverify: { type: 'boolean' },
  'userns-remap': { type: 'string' },
  validate: { type: 'boolean' },
} as const
