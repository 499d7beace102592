#!/bin/sh
# Installs what boot.rs needs on Debian 12, and unpacks a kernel where boot.rs looks for it. Needs root.
set -eu

cache="${XDG_CACHE_HOME:-$HOME/.cache}/jingku-boot"

# QEMU and qemu-utils must have the same version: bookworm's qemu-system would remove the newer qemu-utils of
# bookworm-backports, so both come from there.
sources=/etc/apt/sources.list.d/bookworm-backports.sources
if ! [ -e "$sources" ]; then
    cat > "$sources" <<END
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends -t bookworm-backports qemu-system-x86 qemu-utils
apt-get install -y --no-install-recommends syslinux syslinux-common mtools fdisk busybox-static cpio

# Only the kernel file is needed, so its package is unpacked and not installed.
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/ *Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
download=$(mktemp -d)
trap 'rm -rf "$download"' EXIT
# apt downloads as the user _apt.
chown _apt "$download"
(cd "$download" && apt-get download "$kernel" && dpkg -x ./*.deb unpacked)
mkdir -p "$cache"
cp "$download"/unpacked/boot/vmlinuz-* "$cache/vmlinuz"
echo "Ready: JINGKU_TEST_BOOT=1 cargo test -p jingku boot"
