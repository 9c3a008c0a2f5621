/** The files that printed commands take for granted: a plan, traces, other people's software. For printed.peer.ts. */
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchPeers, initramfs, workingRamdisk } from '../../properties/conformance/peers/index.ts';
import type { UserProject } from '../../properties/user-project.fixtures.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The cell that a printed command names, and rows enough for the row that another names. */
const PLAN = `name: mine
cells:
  - { setup: compute, fault: failstop, mechanism: rehype, size: 20 }
  - { setup: compute, fault: register, mechanism: rehype, size: 4 }
`;

/** Traces that commands look at, and the results that others report, by commands that are printed, too. */
export const MADE_FIRST: readonly string[] = [
  'npx dejavm demo',
  'npx dejavm record -o golden.djvm',
  'npx dejavm record -o faulted.djvm --fault failstop@8M+3',
  'cp faulted.djvm run.djvm; cp golden.djvm old.djvm',
  `npx dejavm inject --seed 771 --fault code=window,bit=16 --at tick+0x5c#13 \\
    --record failed.djvm --golden reference.djvm`,
  'npx dejavm campaign smoke',
  'npx dejavm campaign paper -o paper.sqlite',
  'npx dejavm campaign mine.yaml',
];

/**
 * Puts files there, and in place of `dejavm` what cuts short what would take hours, and writes its calls to `calls`.
 */
export function givenFiles(project: UserProject, calls: string): void {
  const standIn = join(root, 'scripts/printed/stand-in.ts');
  replaceProgram(project, 'dejavm', `DEJAVM_CALLS='${calls}' exec '${process.execPath}' '${standIn}' "$@"`);
  // Which tests are named is looked at in printed.test.ts; they run by themselves.
  replaceProgram(project, 'vitest', 'exit 0');
  project.write('mine.yaml', PLAN);
  // What is typed at the root of the repository.
  for (const name of ['scripts', 'properties']) symlinkSync(join(root, name), project.path(name), 'dir');
  mkdirSync(project.path('traces'));
  cpSync(join(root, 'traces/corpus'), project.path('traces/corpus'), { recursive: true });
  software(project);
}

function replaceProgram(project: UserProject, name: string, script: string): void {
  const path = project.path(`node_modules/.bin/${name}`);
  // It may be a link: what it leads to stays.
  rmSync(path, { force: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function software(project: UserProject): void {
  const { fwJump, uBootS, linux, busybox, modules } = fetchPeers();
  project.write('fw_jump.elf', fwJump.bytes);
  project.write('u-boot.bin', uBootS.bytes);
  project.write('Image', linux.bytes);
  project.write('rootfs.cpio', initramfs(busybox, modules).bytes);
  project.write('initramfs.cpio', workingRamdisk(busybox).bytes);
  project.write('disk.img', new Uint8Array(1 << 20));
  for (const [name, image] of [
    ['fw.elf', 'firmware'],
    ['hv.elf', 'lazarus'],
  ] as const)
    cpSync(join(root, `engine/subject/images/${image}.elf`), project.path(name));
}
