# SPDX-License-Identifier: MIT
# Sourced by run.sh: a project of Meson that builds the library as its subproject, and finds nothing of it
# that is installed.
if command -v meson >/dev/null && command -v ninja >/dev/null; then
  app=$work/app
  mkdir -p "$app/subprojects/libmproc"
  cp "$here"/{consumer.c,module.c,meson/meson.build} "$app"
  cp "$here/meson/libmproc.wrap" "$app/subprojects"
  tar -C "$here/../.." -c --exclude='./build*' --exclude=./.git . | tar -C "$app/subprojects/libmproc" -x
  check_quiet 'subproject: configure' env -u PKG_CONFIG_PATH meson setup "$app/build" "$app" \
    --buildtype=debug -Dlibmproc:cli=false
  check 'subproject: no warning of Meson' test -z "$(grep -E 'WARNING|DEPRECATION' "$work/log" || true)"
  check_quiet 'subproject: build' ninja -C "$app/build"
  check 'subproject: no tests of ours' test -z "$(find "$app/build/subprojects/libmproc" -path '*/tests/*')"
  check_counted 'subproject: program' "$app/build/consumer" "$app/build/module.so"
else
  skip 'subproject' 'meson or ninja is not installed'
fi
