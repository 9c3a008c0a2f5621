/**
 * Other people's software from Debian's packages: firmware and boot loader of this machine's suite, and kernel and
 * userland of the riscv64 architecture, which is released in the suite after it. Downloads by package name with apt, in
 * a state folder of its own, so that the system's lists and architectures stay as they are; apt checks signatures.
 * The mirror is the one that the system's own sources name. Files are kept in the git-ignored folder `.peers/`; remove
 * it to fetch anew. Relies on apt-get, dpkg-deb and tar.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Image } from '../../../engine/index.ts';

/** What is fetched: files of a package, by their paths in it; `*` stands for a part of a path. */
interface Wanted {
  readonly package: string;
  readonly suite: string;
  readonly files: readonly string[];
}

const HOST_SUITE = 'bookworm';
/**
 * The first suite with riscv64 as a release architecture. The one after it serves while a mirror is being updated and
 * what it has is not what the signed Release file of the first says: apt then refuses that suite, as it must.
 */
const GUEST_SUITES = ['trixie', 'forky'] as const;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Depends on the newest kernel's own package, whose name carries its version. */
const KERNEL_META = 'linux-image-riscv64';
const MODULES = ['virtio_mmio', 'virtio_blk', 'virtio_net', 'net_failover', 'failover', 'virtio-rng', 'kvm'] as const;

/** The repositories that the system's sources name; without this switch, only those whose lists are there. */
const INDEX_TARGETS = ['indextargets', '--no-release-info', '--format', '$(REPO_URI)'] as const;

/** Names the cache: raise it when other files are wanted than before. */
const CONTENT = 2;

const OPENSBI = 'usr/lib/riscv64-linux-gnu/opensbi/generic/';
const FILES = {
  fwJump: `${OPENSBI}fw_jump.elf`,
  fwDynamic: `${OPENSBI}fw_dynamic.elf`,
  uBootM: 'usr/lib/u-boot/qemu-riscv64/uboot.elf',
  uBootS: 'usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin',
  busybox: 'usr/bin/busybox',
} as const;

const root = fileURLToPath(new URL('../../../.peers/', import.meta.url));

/** Everything that the tests of this folder run. */
export interface Peers {
  readonly fwJump: Image;
  readonly fwDynamic: Image;
  /** U-Boot as firmware, and as payload of OpenSBI. */
  readonly uBootM: Image;
  readonly uBootS: Image;
  readonly linux: Image;
  readonly busybox: Image;
  /** Kernel modules by name (`virtio_blk`), compressed as Debian ships them. */
  readonly modules: ReadonlyMap<string, Image>;
}

/** The software, fetched where the cache does not have it. @throws Error with apt's own words when that fails */
export function fetchPeers(): Peers {
  const files = join(root, `files-${CONTENT}`);
  if (!existsSync(files)) fetchInto(files);
  const read = (path: string): Image => ({ name: basename(path), bytes: new Uint8Array(readFileSync(path)) });
  const all = readdirSync(files, { recursive: true, encoding: 'utf8' });
  const modules = all.filter((path) => path.endsWith('.ko.xz'));
  const kernel = all.find((path) => /^vmlinu[xz]/.test(basename(path)));
  if (!kernel) throw new Error(`${files} has no kernel: remove the folder, so that it is fetched again`);
  return {
    fwJump: read(join(files, FILES.fwJump)),
    fwDynamic: read(join(files, FILES.fwDynamic)),
    uBootM: read(join(files, FILES.uBootM)),
    uBootS: read(join(files, FILES.uBootS)),
    busybox: read(join(files, FILES.busybox)),
    linux: read(join(files, kernel)),
    modules: new Map(modules.map((path) => [basename(path, '.ko.xz'), read(join(files, path))])),
  };
}

/** Fetches to a temporary name first: an interrupted download leaves no half cache. */
function fetchInto(files: string): void {
  const partial = `${files}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const apt = privateApt();
  const wanted: Wanted[] = [
    { package: 'opensbi', suite: HOST_SUITE, files: [FILES.fwJump, FILES.fwDynamic] },
    { package: 'u-boot-qemu', suite: HOST_SUITE, files: [FILES.uBootM, FILES.uBootS] },
    { package: 'busybox-static', suite: apt.guestSuite, files: [FILES.busybox] },
    ...kernelPackages(apt),
  ];
  for (const its of wanted) unpack(apt.download(its), its.files, partial);
  for (const folder of [apt.state, apt.downloads]) rmSync(folder, { recursive: true });
  renameSync(partial, files);
}

/** The kernel and its modules: one package, or from forky on a package each. */
function kernelPackages(apt: Apt): Wanted[] {
  const suite = apt.guestSuite;
  const dependency = (of: string, name: RegExp) =>
    apt
      .cache('show', of)
      .split('\n')
      .filter((line) => line.startsWith('Depends:'))
      .map((line) => name.exec(line)?.[0])
      .find((found) => found !== undefined);
  const image = dependency(KERNEL_META, /\blinux-image-[\w.+-]+/);
  if (!image) throw new Error(`${KERNEL_META} of ${suite} names no kernel package`);
  const modules = MODULES.map((name) => `*/${name}.ko.xz`);
  const parts = [dependency(image, /\blinux-binary-[\w.+-]+/), dependency(image, /\blinux-modules-[\w.+-]+/)];
  if (!parts[0] || !parts[1]) return [{ package: image, suite, files: ['boot/vmlinux-*', ...modules] }];
  return [
    { package: parts[0], suite, files: ['*/vmlinuz'] },
    { package: parts[1], suite, files: modules },
  ];
}

/** Takes files out of a package. Debian's archives may be large: nothing else is written. */
function unpack(deb: string, files: readonly string[], into: string): void {
  const tarball = join(root, 'data.tar');
  execFileSync('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" > "$2"', 'sh', deb, tarball], { stdio: 'pipe' });
  const members = files.map((file) => `./${file}`);
  execFileSync('tar', ['-xf', tarball, '-C', into, '--no-same-owner', '--wildcards', ...members], { stdio: 'pipe' });
  rmSync(tarball);
  rmSync(deb);
}

interface Apt {
  /** Folders of lists and of packages. */
  readonly state: string;
  readonly downloads: string;
  /** Which of GUEST_SUITES it has. */
  readonly guestSuite: string;
  cache(...args: string[]): string;
  /** Downloads a package. Returns the path of the .deb. */
  download(wanted: Wanted): string;
}

/** An apt that knows the two suites and nothing of the system's state. */
function privateApt(): Apt {
  const state = join(root, 'apt');
  const downloads = join(root, 'debs');
  for (const folder of [downloads, ...['lists/partial', 'cache/archives/partial'].map((name) => join(state, name))]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(join(state, 'status'), '');
  const sources = join(state, 'peers.sources');
  const settings = {
    'Dir::Etc::SourceList': sources,
    'Dir::Etc::SourceParts': '-',
    'Dir::State::Lists': join(state, 'lists'),
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': join(state, 'cache'),
    'APT::Architecture': 'riscv64',
    'APT::Architectures': 'riscv64,amd64',
    // Downloads are checked by signature; the unprivileged downloader cannot write to a user's folder.
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const run = (command: string, args: readonly string[]) =>
    execFileSync(command, [...options, ...args], {
      cwd: downloads,
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 2 ** 26,
    });
  const guestSuite = updateFromFirstMirror(sources, () => run('apt-get', ['update', '-qq', '--error-on=any']));
  return {
    state,
    downloads,
    guestSuite,
    cache: (...args) => run('apt-cache', args),
    download(wanted) {
      run('apt-get', ['download', '-qq', `${wanted.package}/${wanted.suite}`]);
      const deb = readdirSync(downloads).find((name) => name.startsWith(`${wanted.package}_`));
      if (!deb) throw new Error(`apt-get download ${wanted.package} left no file`);
      return join(downloads, deb);
    },
  };
}

/**
 * The system's sources may name several repositories: the first that has both suites is Debian's own.
 * Returns the guest's suite.
 */
function updateFromFirstMirror(sources: string, update: () => void): string {
  const listed = execFileSync('apt-get', INDEX_TARGETS, { encoding: 'utf8' });
  const mirrors = [...new Set(listed.split('\n').filter((line) => line !== ''))];
  const failures: unknown[] = [];
  for (const [suite, mirror] of GUEST_SUITES.flatMap((its) => mirrors.map((from) => [its, from] as const))) {
    writeFileSync(sources, `${stanza(mirror, HOST_SUITE, 'amd64')}\n${stanza(mirror, suite, 'riscv64')}`);
    try {
      update();
      return suite;
    } catch (error) {
      failures.push(error);
    }
  }
  const suites = `${HOST_SUITE} and one of ${GUEST_SUITES.join(', ')}`;
  throw new AggregateError(failures, `no mirror of the system's apt sources has ${suites}`);
}

const stanza = (mirror: string, suite: string, architecture: string): string =>
  [
    'Types: deb',
    `URIs: ${mirror}`,
    `Suites: ${suite}`,
    'Components: main',
    `Architectures: ${architecture}`,
    `Signed-By: ${KEYRING}`,
    '',
  ].join('\n');
