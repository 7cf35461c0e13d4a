export const defaultProfileName = 'berth-default'

/**
 * What AppArmor lets a container's processes do unless told otherwise, with the effect of Docker's default profile: nearly everything, but no
 * mount, no write to what is the host's in /proc and /sys, and signals and traces from its own kind only. It needs no other file.
 * @see apparmor.d(5)
 */
export function defaultProfile(): string {
  return `profile ${defaultProfileName} flags=(attach_disconnected,mediate_deleted) {
  network,
  capability,
  file,
  umount,

  # The host may signal a container, and its processes each other.
  signal (receive) peer=unconfined,
  signal (send,receive) peer=${defaultProfileName},
  ptrace (trace,read,tracedby,readby) peer=${defaultProfileName},

  deny mount,

  # Of /proc only what belongs to processes may be written, and shared memory's settings.
  deny /proc/* w,
  deny /proc/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w,
  deny /proc/sys/[^k]** w,
  deny /proc/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny /proc/sysrq-trigger rwklx,
  deny /proc/kcore rwklx,

  # Of /sys only the control groups.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
`
}
