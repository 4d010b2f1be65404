#!/usr/bin/env bash
# Makes a compiler for wasm32-unknown-unknown of Debian's packages, and prints the path of its cargo.
#
# For machines that reach Debian's packages and cargo's registry but not Rust's own downloads.
# Debian's rustc-web is unpacked in a prefix of its own (nothing is installed system-wide, and
# PATH's own rustc stays as it is), and its std is built once for wasm32 from Debian's rust-web-src
# of the same version. After that plain stable builds work: no -Z flag, no RUSTC_BOOTSTRAP. When it
# has been done before, this takes a second.
#
#   --prefix DIR   where to; default $WASM_RUST_PREFIX or ~/.cache/rust-wasm
#   --force        build again although the prefix is complete
#   --jobs N       default 2
#
# Needs apt-get (Debian with the security suite), dpkg-deb, cc, flock, and the crate registry
# through cargo. Root only where the package lists or the download need it.
set -euo pipefail

TARGET=wasm32-unknown-unknown
RECIPE=5                        # raise to invalidate prefixes built by older recipes
force=0 jobs=${WASM_JOBS:-2}
prefix=${WASM_RUST_PREFIX:-${XDG_CACHE_HOME:-$HOME/.cache}/rust-wasm}

say() { printf 'wasm-from-debian: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
usage() { sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "$0" >&2; }

while (($#)); do
  case $1 in
    --prefix) prefix=${2:?}; shift ;;
    --jobs) jobs=${2:?}; shift ;;
    --force) force=1 ;;
    -h|--help) usage; exit 0 ;;
    *) usage; die "unknown option $1" ;;
  esac
  shift
done
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
case $prefix in *[[:space:]:]*) die "the prefix may hold no blank or colon: $prefix" ;; esac

# A compiler counts only when it builds and links a cdylib that uses std.
smoke() {                       # smoke RUSTC -> 0 if it makes a wasm module
  local d rc=0; d=$(mktemp -d)
  cat >"$d/s.rs" <<'EOF'
use std::collections::BTreeMap;
#[no_mangle] pub extern "C" fn answer(n: u32) -> u32 {
    let m: BTreeMap<String, u32> = (0..n).map(|i| (format!("k{i}"), i)).collect();
    m.values().sum::<u32>()
}
EOF
  "$1" -O --edition 2021 --target $TARGET --crate-type cdylib -o "$d/s.wasm" "$d/s.rs" >"$d/log" 2>&1 || rc=$?
  if ((rc == 0)) && command -v node >/dev/null; then
    node -e 'WebAssembly.instantiate(require("fs").readFileSync(process.argv[1]),{}).then(r=>{if(r.instance.exports.answer(10)!==45)process.exit(1)},e=>{console.error(e);process.exit(1)})' "$d/s.wasm" >>"$d/log" 2>&1 || rc=$?
  fi
  ((rc == 0)) || { say "smoke test of $1 failed:"; head -n 12 "$d/log" >&2; }
  rm -rf "$d"; return $rc
}

write_exec() {                  # write_exec FILE  (text on stdin), atomically
  local t; mkdir -p "${1%/*}"; t=$(mktemp "$1.XXXXXX"); cat >"$t"; chmod 755 "$t"; mv -f "$t" "$1"
}

candidate() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | awk '$1=="Candidate:"&&$2!="(none)"{print $2}'; }
depends()   { LC_ALL=C apt-cache depends "$1" 2>/dev/null | awk '$1~/Depends:$/{print $2}'; }

complete() {                    # is $prefix/debian whole, and made by this recipe?
  [[ -f $prefix/debian/.complete ]] && [[ $(<"$prefix/debian/.complete") == "recipe $RECIPE "* ]] &&
    [[ -x $prefix/debian/bin/rustc ]] && smoke "$prefix/debian/bin/rustc"
}

build_debian() {
  local d=$prefix/debian ver stdlib llvm lld w t0=$SECONDS
  for w in apt-get apt-cache dpkg-deb flock; do command -v $w >/dev/null || die "$w is needed"; done
  command -v cc >/dev/null || die "a C compiler (cc) is needed to link build scripts: apt-get install gcc libc6-dev"
  # A new machine's lists may be empty or miss the security suite, where the current
  # rustc-web is: an old list would quietly yield an older compiler.
  if [[ $(id -u) == 0 ]]; then apt-get update -qq >&2 || say "apt-get update failed: using the lists there are"; fi
  ver=$(candidate rustc-web); [[ -n $ver ]] || die "no rustc-web in the package lists"
  stdlib=$(depends libstd-rust-web-dev | grep -m1 '^libstd-rust-web-') || die "no libstd-rust-web-N"
  llvm=$(depends "$stdlib" | grep -m1 '^libllvm') || die "cannot tell the LLVM of $stdlib"
  lld=lld-${llvm#libllvm}; lld=${lld%%[!a-z0-9-]*}
  say "rustc-web $ver, $llvm, $lld -> $d"

  rm -rf "$d"; mkdir -p "$d/debs/partial" "$d/root" "$d/src" "$d/bin"
  # the closure of what this machine lacks, downloaded and not installed
  local apt_opts=(-y -q --no-install-recommends --download-only -o Dir::Cache::archives="$d/debs" -o Debug::NoLocking=1)
  [[ $(id -u) != 0 ]] || apt_opts+=(-o APT::Sandbox::User=root)
  local pkgs=(rustc-web cargo-web rust-web-clippy rust-web-src "$lld")
  apt-get "${apt_opts[@]}" install "${pkgs[@]}" >"$d/apt.log" 2>&1 || {
    tail -n 20 "$d/apt.log" >&2; die "apt-get could not bring the packages"
  }
  # what is installed already is not in that closure: bring the named ones all the same
  local p
  for p in "${pkgs[@]}" libstd-rust-web-dev "$stdlib" "$llvm"; do
    compgen -G "$d/debs/${p}_*.deb" >/dev/null ||
      (cd "$d/debs" && apt-get download -q "$p" >>"$d/apt.log" 2>&1) || die "apt-get could not download $p"
  done
  say "downloaded $(du -sm "$d/debs" | cut -f1) MB after $((SECONDS - t0)) s"
  for p in "$d"/debs/*.deb; do
    case ${p##*/} in
      rust-web-src_*) dpkg-deb --fsys-tarfile "$p" | tar -x -C "$d/src" --strip-components=5 --wildcards './usr/src/rustc-*/library/*' ;;
      *) dpkg-deb -x "$p" "$d/root" ;;
    esac
  done
  rm -rf "$d/debs" "$d/root/usr/share/doc" "$d/root/usr/share/man"
  [[ -f $d/src/Cargo.lock && -d $d/src/std ]] || die "no library source in rust-web-src"

  local driver libs host
  driver=$(find "$d/root/usr/lib" -name 'librustc_driver-*.so' -print -quit); [[ -n $driver ]] || die "no librustc_driver"
  libs=${driver%/*}
  libs=$libs:$d/root/lib/${libs##*/}    # some packages still unpack under /lib
  write_tool() { write_exec "$d/bin/$1" <<EOF
#!/bin/sh
LD_LIBRARY_PATH=$libs\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
exec $d/root/usr/bin/$1 "\$@"
EOF
  }
  for w in rustc rustdoc cargo clippy-driver cargo-clippy; do write_tool $w; done
  host=$("$d/bin/rustc" -vV | awk '$1=="host:"{print $2}') || die "the unpacked rustc does not start"
  local hb=$d/root/usr/lib/rustlib/$host/bin out
  mkdir -p "$hb"; ln -sfn "$(find "$d/root/usr/lib" -path '*/bin/lld' -print -quit)" "$hb/rust-lld"
  out=$("$d/bin/rustc" --print sysroot); [[ $out == "$d/root/usr" ]] || die "sysroot is $out"

  say "building std for $TARGET (once; about a minute on an idle core)"
  local hash; hash=$("$d/bin/rustc" -vV | awk '$1=="commit-hash:"{print $2}')
  # Recent sources have the profile their own prebuilt std is made with; older ones get the like.
  local profile=dist
  grep -q '^\[profile\.dist\]' "$d/src/Cargo.toml" || profile=release
  # __CARGO_DEFAULT_LIB_METADATA keeps std's own copies of crates (hashbrown, memchr, ...)
  # apart from a project's; -Zforce-unstable-if-unmarked keeps projects from naming them.
  ( cd "$d/src"
    unset CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_INCREMENTAL RUSTDOC
    export RUSTC=$d/bin/rustc RUSTC_BOOTSTRAP=1 __CARGO_DEFAULT_LIB_METADATA="debian-$ver-$RECIPE" CARGO_TARGET_DIR=$d/build
    export RUSTFLAGS="-Zforce-unstable-if-unmarked --remap-path-prefix=$d/src=/rustc/$hash/library --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/rust/deps"
    if [[ $profile == release ]]; then
      RUSTFLAGS+=" -Cembed-bitcode=yes"; export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_DEBUG=1
    fi
    "$d/bin/cargo" build --locked -q -j "$jobs" --manifest-path sysroot/Cargo.toml --profile $profile \
      --target $TARGET --features 'panic-unwind backtrace compiler-builtins-mem' >"$d/std.log" 2>&1
  ) || { tail -n 30 "$d/std.log" >&2; die "std did not build (log: $d/std.log)"; }
  local lib=$d/root/usr/lib/rustlib/$TARGET/lib
  mkdir -p "$lib"; cp "$d/build/$TARGET/$profile/deps/"*.rlib "$lib/"
  rm -rf "$d/build" "$d/apt.log"   # src stays: rust-src for editors and -Z build-std
  mkdir -p "$d/root/usr/lib/rustlib/src/rust"; ln -sfn "$d/src" "$d/root/usr/lib/rustlib/src/rust/library"

  # Debian's own cargo, the compiler's version: rustup's proxy would first look at the
  # project's rust-toolchain.toml and might want to download. One target folder can serve
  # both compilers: artifacts are named by rustc version too, so switching between native
  # and wasm builds rebuilds nothing.
  write_exec "$d/bin/cargo-wasm" <<EOF
#!/bin/sh
export CARGO_BUILD_TARGET=$TARGET RUSTC=$d/bin/rustc RUSTDOC=$d/bin/rustdoc CARGO=$d/bin/cargo
if [ "\${1-}" = clippy ]; then exec $d/bin/cargo-clippy "\$@"; fi
exec $d/bin/cargo "\$@"
EOF
  smoke "$d/bin/rustc" || die "the new std does not work"
  printf 'recipe %s rustc-web %s\n' $RECIPE "$ver" >"$d/.complete"
  say "built in $((SECONDS - t0)) s, $(du -sm "$d" | cut -f1) MB"
}

mkdir -p "$prefix"
exec 9>"$prefix/.lock"; flock -w 1200 9 || die "another setup holds $prefix/.lock"
if ((force)) || ! complete; then build_debian; else say "found $(<"$prefix/debian/.complete")"; fi
printf '%s\n' "$prefix/debian/bin/cargo-wasm"
