#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# forcefallback.sh: builds the library from a copy of this tree with what subprojects/ names instead of the
# system's packages (--wrap-mode=forcefallback), installs it, and runs a program and unit tests with it. The
# sources are those of the distribution, unpacked where the wraps would unpack theirs; apt checks them, and
# needs no root, since its lists and sources are of this run only. Skipped where apt has none.
# The last line is 'N passed, N failed'.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MPROC_WORKER LD_LIBRARY_PATH
. "$here/count.sh"

# Wrap -> the source package of the distribution.
declare -A packages=([libuv]=libuv1 [cereal]=libcereal [gtest]=googletest)

# Downloads the source packages into $work/sources.
download() {
  local mirror codename
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 -E '/debian/?$') ||
    mirror=http://deb.debian.org/debian
  mkdir -p "$work"/apt/{lists,cache}/partial "$work/apt/cache/archives/partial" "$work/sources"
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $codename main" >"$work/apt/list"
  local apt=(apt-get -qq -o Dir::Etc::SourceList="$work/apt/list" -o Dir::Etc::SourceParts=-
    -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User=
    -o APT::Get::List-Cleanup=false -o Acquire::Retries=2)
  "${apt[@]}" update && cd "$work/sources" && "${apt[@]}" source --download-only --tar-only "${packages[@]}"
}

# unpack WRAP : as Meson would, from the package's tarball: the sources, and our build files over them. Python
# knows every compression, tar needs a program for each.
unpack() {
  local wrap=$tree/subprojects/$1.wrap directory patch
  directory=$tree/subprojects/$(sed -n 's/^directory = //p' "$wrap")
  patch=$tree/subprojects/packagefiles/$(sed -n 's/^patch_directory = //p' "$wrap")
  mkdir "$work/$1" &&
    python3 -m tarfile -e "$(compgen -G "$work/sources/${packages[$1]}_*.orig.tar.*z")" "$work/$1" &&
    mv "$work/$1"/* "$directory" && cp -r "$patch/." "$directory"
}

for tool in apt-get meson ninja python3; do
  command -v $tool >/dev/null || { skip 'forcefallback' "there is no $tool"; finish; exit; }
done
if ! (download) >"$work/log" 2>&1 </dev/null; then
  tail -n 3 "$work/log"
  skip 'forcefallback' 'the source packages cannot be had'
  finish
  exit
fi

tree=$work/tree build=$work/build prefix=$work/prefix
mkdir "$tree"
tar -C "$here/../.." -c --exclude='./build*' --exclude=./.git --exclude='./subprojects/*/*' . | tar -C "$tree" -x
mkdir -p "$tree/subprojects/packagefiles"
cp -r "$here/../../subprojects/packagefiles" "$tree/subprojects"
for wrap in "${!packages[@]}"; do
  check_quiet "$wrap: unpacked" unpack "$wrap"
done

check_quiet 'configure' meson setup "$build" "$tree" --prefix="$prefix" --wrap-mode=forcefallback \
  --buildtype=debug -Dtests=false -Dcli=false
check_quiet 'build' ninja -C "$build"
check_quiet 'install' meson install -C "$build" --no-rebuild --quiet
[ $failed = 0 ] || { finish; exit; }
library=$(find "$prefix" -name 'libmproc.so.0')
check 'the library needs no libuv of the system' test -z "$(ldd "$library" | grep libuv || true)"
check 'it shows no symbol of libuv' test -z "$(nm -D --defined-only "$library" | grep -w uv_loop_init || true)"
check 'libuv is in it' test -n "$(nm "$library" | grep -w uv_loop_init || true)"
check 'nothing else was installed' test -z "$(find "$prefix" -type f | grep -vE 'mproc[^/]*$|/include/mproc/' || true)"

cc=${CC:-cc}
export PKG_CONFIG_PATH=${library%/*}/pkgconfig
check_quiet 'module' eval '$cc -fPIC -shared "$here/module.c" -o "$work/module.so" $(pkg-config --cflags mproc)'
check_quiet 'program' eval '$cc "$here/consumer.c" -o "$work/consumer" $(pkg-config --cflags --libs mproc) \
  -Wl,-rpath,"${library%/*}"'
check_counted 'program runs' "$work/consumer" "$work/module.so"

check_quiet 'configure with tests' meson configure "$build" -Dtests=true
check_quiet 'build a unit test' ninja -C "$build" tests/unit/unit-loop
check_quiet 'unit test' "$build/tests/unit/unit-loop"
finish
