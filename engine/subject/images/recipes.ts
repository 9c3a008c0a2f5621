/**
 * How each committed image is made: sources, linker script, flags; and what of that goes into its hashes.
 * Reads the repository's files only; needs no compiler.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NOTES } from '../../machine/index.ts';
import { CHECKS, FIXUPS } from '../fixups.ts';

/** Folder with a slash at its end. */
export const SUBJECT_FOLDER = fileURLToPath(new URL('../', import.meta.url));
export const IMAGES_FOLDER = fileURLToPath(new URL('.//', import.meta.url));

export interface Recipe {
  readonly name: string;
  /** Compiled one by one, in link order; paths from engine/subject/. */
  readonly sources: readonly string[];
  readonly script: string;
}

/** Folders searched for headers, from engine/subject/. Notes come from a generated `notes.h`. */
export const INCLUDES = ['firmware/include', 'firmware', 'lazarus', 'guests'] as const;

const common = ['firmware/common.c'];
const within = (folder: string, names: string) => names.split(' ').map((name) => `${folder}/${name}`);
/** The tiny kernel under every guest. */
const kernel = within('guests', 'entry.S kernel.c print.c pages.c paging.c timer.c events.c');

export const RECIPES: readonly Recipe[] = [
  {
    name: 'firmware',
    sources: [
      ...within(
        'firmware',
        'entry.S main.c reserve.c trap.c sbi.c legacy.c ipi.c hsm.c watchdog.c recovery.c options.c console.c fdt.c',
      ),
      ...common,
    ],
    script: 'firmware/firmware.ld',
  },
  {
    name: 'lazarus',
    sources: [
      ...within(
        'lazarus',
        'entry.S main.c build.c heap.c frame.c gstage.c lock.c domain.c sched.c timer.c trap.c irq.c',
      ),
      ...within(
        'lazarus',
        'copy.c hypercall.c event.c grant.c memory.c multicall.c control.c store.c console.c vsbi.c',
      ),
      ...within('lazarus', 'vbuild.c vfdt.c vmmio.c vuart.c'),
      ...within('lazarus', 'plant.c recovery.c fixups.c layout.c'),
      'firmware/fdt.c',
      ...common,
    ],
    script: 'lazarus/lazarus.ld',
  },
  {
    name: 'privvm',
    sources: [
      ...kernel,
      ...within('guests/privvm', 'main.c image.c toolstack.c backend.c backend_block.c backend_net.c backend_loop.c'),
      ...within('guests/privvm', 'virtio.c virtio_block.c virtio_net.c'),
      ...common,
    ],
    script: 'guests/guest.ld',
  },
  {
    name: 'guest-hostile',
    sources: [...kernel, ...within('guests', 'grants.c front.c hostile.c'), ...common],
    script: 'guests/guest.ld',
  },
  {
    name: 'guest-compute',
    sources: [...kernel, ...within('guests', 'compute.c'), ...common],
    script: 'guests/guest.ld',
  },
  {
    name: 'guest-blkbench',
    sources: [...kernel, ...within('guests', 'grants.c front.c front_block.c fs.c blkbench.c'), ...common],
    script: 'guests/guest.ld',
  },
  {
    name: 'guest-netbench',
    sources: [...kernel, ...within('guests', 'grants.c front.c front_net.c netbench.c'), ...common],
    script: 'guests/guest.ld',
  },
  {
    name: 'guest-unixbench',
    sources: [
      ...kernel,
      ...within('guests', 'grants.c front.c front_loop.c process_run.S process.c space.c user.c'),
      ...within('guests', 'storm.c frames.c loop.c unixbench.c'),
      ...common,
    ],
    script: 'guests/guest.ld',
  },
  {
    name: 'guest-team',
    sources: [...kernel, ...within('guests', 'team.c'), ...common],
    script: 'guests/guest.ld',
  },
  {
    name: 'guest-idle',
    sources: [...kernel, ...within('guests', 'idle.c'), ...common],
    script: 'guests/guest.ld',
  },
];

/** The debug information of an image, beside it. */
export const debugFile = (name: string): string => `${name}.debug`;

/** The bundle of guests, and the images in it by their names there: the PrivVM and every `guest-NAME`. */
export const BUNDLE_FILE = 'guests.bundle';
export const BUNDLED = RECIPES.flatMap((recipe) => {
  const name = recipe.name === 'privvm' ? recipe.name : /^guest-(.+)$/.exec(recipe.name)?.[1];
  return name === undefined ? [] : [{ name, recipe }];
});

/** Flags of every compilation: no libc, and no floating point, whose state a recovery would have to keep. */
export const COMPILE_FLAGS = [
  '-march=rv64imac_zicsr_zifencei',
  '-mabi=lp64',
  '-mcmodel=medany',
  '-msmall-data-limit=0',
  '-ffreestanding',
  '-fno-pic',
  '-fno-builtin',
  '-fno-common',
  '-fno-strict-aliasing',
  '-fno-stack-protector',
  '-fno-tree-loop-distribute-patterns',
  '-std=gnu11',
  '-O2',
  // Taken out of the images again, and kept beside them (build.ts).
  '-g',
  '-Wall',
  '-Wextra',
  '-Werror',
] as const;
export const LINK_FLAGS = ['-nostdlib', '-static', '-Wl,--build-id=none', '-Wl,--no-relax'] as const;

/** The C header that declares NOTE_<name> for every note, fix-ups and checks: FIXUPS(each) gives each(name, bit). */
export function notesHeader(): string {
  const rows = Object.entries(NOTES).map(([name, note]) => `#define NOTE_${name} 0x${note.code.toString(16)}`);
  return `/* Generated from engine/machine/bus/notes.ts and engine/subject/fixups.ts. */\n#pragma once\n${[...rows, ...bitsOf('FIXUP', FIXUPS), ...bitsOf('CHECK', CHECKS)].join('\n')}\n`;
}

/** KIND_<name> is the bit of a name, KINDS(each) gives each(name, bit), KINDS_ALL has all bits. */
function bitsOf(kind: string, names: readonly string[]): string[] {
  const each = names.map((name, bit) => `each(${name}, ${bit})`).join(' ');
  const bits = names.map((name, bit) => `#define ${kind}_${name} ${bit}`);
  const all = `#define ${kind}S_ALL 0x${((1 << names.length) - 1).toString(16)}ul`;
  return [...bits, `#define ${kind}S(each) ${each}`, all];
}

/** Flags of objcopy that make an image of what was linked, and its debug file: none changes a byte that is loaded. */
export const IMAGE_FLAGS = ['--remove-section=.debug_*'] as const;
export const DEBUG_FLAGS = ['--only-keep-debug', '--compress-debug-sections=zlib'] as const;

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** All flags, as the manifest has them. */
export const FLAGS: string = [...COMPILE_FLAGS, ...LINK_FLAGS, ...IMAGE_FLAGS, ...DEBUG_FLAGS].join(' ');

/** Hash over all that an image is made from: sources, every header, linker script, notes, flags. */
export function sourcesHash(recipe: Recipe): string {
  const folders = new Set([...INCLUDES, ...recipe.sources.map(dirname)]);
  const headers = [...folders].flatMap((folder) =>
    readdirSync(SUBJECT_FOLDER + folder)
      .filter((name) => name.endsWith('.h'))
      .sort()
      .map((name) => `${folder}/${name}`),
  );
  const hash = createHash('sha256');
  for (const path of [...recipe.sources, recipe.script, ...headers]) {
    hash.update(`${path}\n${sha256(readFileSync(SUBJECT_FOLDER + path))}\n`);
  }
  hash.update(notesHeader());
  hash.update(FLAGS);
  return hash.digest('hex');
}

/** The same for the bundle: its images' hashes and their names, in order. */
export const bundleSourcesHash = (): string =>
  sha256(BUNDLED.map(({ name, recipe }) => `${name}\n${sourcesHash(recipe)}\n`).join(''));
