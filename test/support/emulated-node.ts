/**
 * Shell functions for `cgroup2-vm`. V8's compiling threads trip over each other on emulated processors: a start in ten ended in
 * a failed check of V8, or a segmentation fault; without them it is rare. That the emulated processor ended Node is not a
 * daemon's fault: `start_daemon ARGUMENT...` then starts it again, each time with less of V8 that makes machine code, and tells
 * what it said. It leaves the pid in $daemon and the log in /run/log.
 */
export const startDaemon = `
start_daemon() {
  for flags in '' '--no-opt --no-maglev' '--no-opt --no-maglev --no-sparkplug --regexp-interpret-all'; do
    '${process.execPath}' --single-threaded $flags src/main.ts daemon "$@" >/run/log 2>&1 &
    daemon=$!
    until grep -q 'berth is ready' /run/log || ! kill -0 $daemon 2>/dev/null; do sleep 0.2; done
    if grep -q 'berth is ready' /run/log; then return; fi
    wait $daemon
    echo "daemon ended at its start: $?"
    tail -n 40 /run/log
  done
}`
