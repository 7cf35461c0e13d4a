#!/bin/sh
# Builds the decompressor of Debian's package libisal as a static library against musl, which Debian does not offer.
#   isa-l.sh DIRECTORY
# DIRECTORY gets libisal.a, igzip_lib.h and copyright. apt verifies the source it fetches.
set -eu
target=$(realpath -m "$1")
[ ! -e "$target/libisal.a" ] || exit 0
mkdir -p "$(dirname "$target")"
# Several clones or runs may find it missing at once.
exec 9>"$target.lock"
flock 9
[ ! -e "$target/libisal.a" ] || exit 0
work="$target.work"
rm -rf "$work" && mkdir -p "$work/lists/partial" "$work/source" "$work/result"
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | grep -v -e security -e updates | sort -u | head -n 1)
[ -n "$mirror" ] || { echo "isa-l: apt knows no Debian mirror" >&2; exit 1; }
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror main" >"$work/sources.list"
apt() {
  apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" \
    -o APT::Sandbox::User=root "$@"
}
apt update >/dev/null
(cd "$work/source" && apt source --download-only libisal >/dev/null)
tar -xJf "$work"/source/libisal_*.orig.tar.xz -C "$work/source" --strip-components=1
tar -xJf "$work"/source/libisal_*.debian.tar.xz -C "$work/source" debian/copyright
make -s -C "$work/source" -f Makefile.unx lib units='igzip crc' CC=musl-gcc AS=nasm >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
mv "$work/source/bin/isa-l.a" "$work/result/libisal.a"
mv "$work/source/include/igzip_lib.h" "$work/source/debian/copyright" "$work/result/"
rm -rf "$target" && mv "$work/result" "$target" && rm -rf "$work"
