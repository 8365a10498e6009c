# SPDX-License-Identifier: MIT
# Sourced by run.sh: a project of CMake that finds the installed library by find_package, where it was
# installed and where it was moved to.
cmake_project() {  # NAME PREFIX
  local build="$work/cmake-$1"
  check_quiet "cmake, $1: configure" cmake -S "$work/cmake" -B "$build" -DCMAKE_PREFIX_PATH="$2" -DWANTED=0.1
  check_quiet "cmake, $1: build" cmake --build "$build"
  check "cmake, $1: the library is that one" grep -qF "$2/" "$build/build.ninja"
  check_counted "cmake, $1: program" "$build/consumer" "$build/libmodule.so"
}

# accepts VERSION [PREFIX] : whether CMake takes the library for that version
accepts() {
  rm -rf "$work/cmake-version"
  cmake -S "$work/cmake" -B "$work/cmake-version" -DCMAKE_PREFIX_PATH="${2:-$prefix}" -DWANTED="$1"
}

cmake_tests() {
  local version
  mkdir "$work/cmake"
  cp "$here"/{consumer.c,module.c,cmake/CMakeLists.txt} "$work/cmake"
  cmake_project 'installed' "$prefix"
  cp -a "$prefix" "$work/moved"
  cmake_project 'moved' "$work/moved"
  version=$(pkg-config --modversion mproc)
  for wanted in "$version;EXACT" "${version%%.*}" "${version%%.*}...<$((${version%%.*} + 1))"; do
    check_quiet "cmake: version $wanted is taken" accepts "$wanted"
  done
  for wanted in "$((${version%%.*} + 1))" "${version%%.*}.999" "${version%.*}.999;EXACT" \
    "$((${version%%.*} + 1))...$((${version%%.*} + 2))" "${version%%.*}...<$version"; do
    check_fails "cmake: version $wanted is refused" 'requested version' accepts "$wanted"
  done
  sed -i "s/\"$version\"/\"7.1.0\"/; s/\"${version%%.*}\"/\"7\"/" "$(find "$work/moved" -name mproc-config-version.cmake)"
  check_quiet 'cmake: a version of the same number, not older, is taken' accepts 7.0 "$work/moved"
  check_fails 'cmake: a version of a greater number is refused' 'requested version' accepts 6.0 "$work/moved"
  rm "$work/moved/${libdir#"$prefix"/}"/libmproc.so.*
  check_fails 'cmake: no library' 'is not there, though' \
    cmake -S "$work/cmake" -B "$work/cmake-lost" -DCMAKE_PREFIX_PATH="$work/moved"
}

export CMAKE_GENERATOR=Ninja  # which is there for Meson
if command -v cmake >/dev/null && command -v ninja >/dev/null; then
  cmake_tests
else
  skip 'cmake' 'cmake or ninja is not installed'
fi
