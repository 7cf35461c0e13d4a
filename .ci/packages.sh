# Debian packages, sourced by setup. build: to compile and to run the engine; test: for the suite besides.
build_packages="musl-tools libseccomp-dev libjansson-dev zlib1g-dev libzstd-dev liblzma-dev libbz2-dev linux-libc-dev nasm xz-utils nftables iproute2 procps"
test_packages="git busybox-static docker-registry debootstrap strace python3 util-linux openssl qemu-system-x86 systemd bzip2 podman skopeo umoci runc iptables catatonit valgrind apparmor clang libclang-rt-dev docker-compose python3-docker xfsprogs e2fsprogs"
