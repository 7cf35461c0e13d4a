#!/bin/sh
# Prints a directory with today's Docker (CLI, compose v2, buildx, dockerd, containerd of Debian unstable), fetched once and unpacked, never installed.
#   docker-peers.sh DIRECTORY
# dockerd needs runc and iptables of the host's own release.
set -eu
target=$1
mkdir -p "$(dirname "$target")"
# Tests run side by side, and the first ones may all find it missing.
exec 9>"$target.lock"
flock 9
is_whole() {
  for program in bin/docker sbin/dockerd libexec/docker/cli-plugins/docker-compose libexec/docker/cli-plugins/docker-buildx; do
    [ -x "$target/usr/$program" ] || return 1
  done
}
if is_whole; then
  echo "$target"
  exit 0
fi
fetch="$target.fetch"
rm -rf "$fetch" && mkdir -p "$fetch/lists/partial" "$fetch/archives/partial" "$fetch/root"
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | sort -u | head -n 1)
if [ -z "$mirror" ]; then
  apt-get update -q >/dev/null
  mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | sort -u | head -n 1)
fi
[ -n "$mirror" ] || { echo "docker-peers: apt knows no Debian mirror" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$fetch/sources.list"
apt() {
  apt-get -q -o Dir::Etc::sourcelist="$fetch/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$fetch/lists" \
    -o Dir::Cache="$fetch" -o Dir::Cache::archives="$fetch/archives" -o APT::Sandbox::User=root "$@"
}
apt update >/dev/null
(cd "$fetch/archives" && apt download docker-cli docker-compose docker-buildx docker.io containerd >/dev/null)
for package in "$fetch"/archives/*.deb; do dpkg -x "$package" "$fetch/root"; done
rm -rf "$target" && mv "$fetch/root" "$target" && rm -rf "$fetch"
echo "$target"
