/** A scratch copy of the repository, where mutants are tried: the user's tree is only read. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bounds, runBounded } from './bounded.ts';
import type { Mutant } from './sample.ts';
import type { Suite } from './suites.ts';

export interface Workbench {
  /** Its root. */
  readonly root: string;
  /** Removes it; the end of this process does, too. */
  close(): void;
}

/** A compiler needs a few seconds. */
const COMPILER_BOUNDS: Bounds = { cpuSeconds: 300, memoryBytes: 4 * 2 ** 30 };
const BUILD_ARCH = "const { buildArch } = await import('./scripts/build.ts'); buildArch();";

/** Copies what Git knows or would take, links node_modules, and builds. @throws Error when that fails. */
export async function openWorkbench(repository: string): Promise<Workbench> {
  const root = mkdtempSync(join(tmpdir(), 'dejavm-mutation-'));
  const close = () => rmSync(root, { recursive: true, force: true });
  process.once('exit', close);
  try {
    const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const paths = execFileSync('git', list, { cwd: repository, encoding: 'utf8', maxBuffer: 2 ** 26 });
    for (const path of paths.split('\0').filter((name) => name !== '' && name !== 'node_modules')) {
      // What was deleted and not committed is still listed.
      if (existsSync(join(repository, path))) cpSync(join(repository, path), join(root, path));
    }
    symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
    const built = await runBounded([process.execPath, 'scripts/build.ts'], { cwd: root, bounds: COMPILER_BOUNDS });
    if (built.code !== 0) throw new Error(`the copy does not build:\n${built.output}`);
    return { root, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Puts a mutant into the copy, gives it to `use`, and takes it out again. */
export async function withMutant<T>(bench: Workbench, mutant: Mutant, use: () => Promise<T>): Promise<T> {
  const path = join(bench.root, mutant.file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end));
  try {
    return await use();
  } finally {
    writeFileSync(path, text);
  }
}

/** Whether the copy as it is compiles; AssemblyScript is built anew, TypeScript only judged. */
export async function compiles(bench: Workbench, suite: Suite): Promise<boolean> {
  const command = suite.types
    ? [join(bench.root, 'node_modules/.bin/tsc'), '-p', suite.types, '--noEmit']
    : [process.execPath, '--input-type=module', '--eval', BUILD_ARCH];
  const { code } = await runBounded(command, { cwd: bench.root, bounds: COMPILER_BOUNDS });
  return code === 0;
}
