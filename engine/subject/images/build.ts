/**
 * Builds the guest software (firmware, Lazarus, guests) from C. `node engine/subject/images/build.ts` writes the
 * images, their debug files and the manifest; `--check` builds into a temporary folder and compares bytes. Relies on
 * Debian's gcc-riscv64-unknown-elf.
 *
 * Exit: 0 fine; 1 a difference, or the sources do not compile; 2 usage, or no compiler.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBundle } from './bundle.ts';
import { loadedHash } from './debug-files.ts';
import { filesOf, type Manifest, type ManifestEntry, readManifest } from './manifest.ts';
import {
  BUNDLE_FILE,
  BUNDLED,
  bundleSourcesHash,
  COMPILE_FLAGS,
  DEBUG_FLAGS,
  debugFile,
  FLAGS,
  IMAGE_FLAGS,
  IMAGES_FOLDER,
  INCLUDES,
  LINK_FLAGS,
  notesHeader,
  RECIPES,
  type Recipe,
  SUBJECT_FOLDER,
  sha256,
  sourcesHash,
} from './recipes.ts';

const COMPILER = 'riscv64-unknown-elf-gcc';
const OBJCOPY = 'riscv64-unknown-elf-objcopy';

class BuildError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

function main(args: readonly string[]): number {
  const check = args.length === 1 && args[0] === '--check';
  if (args.length > 0 && !check) {
    console.error('usage: node engine/subject/images/build.ts [--check]');
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'dejavm-images-'));
  try {
    const manifest = buildAll(folder);
    return check ? compare(folder, manifest) : install(folder, manifest);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    return error.exitCode;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function buildAll(folder: string): Manifest {
  const version = spawnSync(COMPILER, ['--version'], { encoding: 'utf8' });
  if (version.error || version.status !== 0) {
    throw new BuildError(`${COMPILER} not found: install the Debian package gcc-riscv64-unknown-elf`, 2);
  }
  writeFileSync(join(folder, 'notes.h'), notesHeader());
  const entry = (file: string, bytes: Uint8Array, sources: string): ManifestEntry => ({
    file,
    sizeBytes: bytes.length,
    sha256: sha256(bytes),
    sources,
  });
  const compilerHeaders = includesOfCompiler();
  const images = RECIPES.map((recipe) => {
    const { image, debug } = buildOne(folder, recipe, compilerHeaders);
    const beside = { file: debugFile(recipe.name), sizeBytes: debug.length, sha256: sha256(debug) };
    return { ...entry(`${recipe.name}.elf`, image, sourcesHash(recipe)), loaded: loadedHash(image), debug: beside };
  });
  return {
    compiler: version.stdout.split('\n')[0] ?? '',
    flags: FLAGS,
    images: [...images, entry(BUNDLE_FILE, buildBundle(folder), bundleSourcesHash())],
  };
}

/** The guests without their symbols, which stay in the ELF files beside. */
function buildBundle(folder: string): Uint8Array {
  const bundle = makeBundle(
    BUNDLED.map(({ name, recipe }) => {
      const stripped = join(folder, `${recipe.name}.stripped`);
      run(['--strip-all', join(folder, `${recipe.name}.elf`), stripped], OBJCOPY);
      return { name, bytes: readFileSync(stripped) };
    }),
  );
  writeFileSync(join(folder, BUNDLE_FILE), bundle);
  return bundle;
}

/** Where the compiler has its own headers: its place differs from host to host. */
function includesOfCompiler(): string {
  const result = spawnSync(COMPILER, ['-print-file-name=include'], { encoding: 'utf8' });
  return result.stdout.trim();
}

/**
 * Compiles with relative names and the folders of this host mapped away, so that none of its paths gets into image or
 * debug file. Debug sections are taken out of what was linked, and kept in a file beside.
 */
function buildOne(
  folder: string,
  recipe: Recipe,
  compilerHeaders: string,
): { readonly image: Uint8Array; readonly debug: Uint8Array } {
  const objects = join(folder, recipe.name);
  mkdirSync(objects);
  const own = recipe.script.slice(0, recipe.script.indexOf('/'));
  const includes = [`-I${folder}`, ...new Set(['firmware/include', own, ...INCLUDES])].map((name, index) =>
    index === 0 ? name : `-I${name}`,
  );
  const subject = SUBJECT_FOLDER.replace(/\/$/, '');
  const maps = [`${folder}=.`, `${subject}=.`, `${compilerHeaders}=compiler`];
  // The assembler is told of the second only.
  const mapped = maps.flatMap((map) => [`-ffile-prefix-map=${map}`, `-fdebug-prefix-map=${map}`]);
  const objectFiles = recipe.sources.map((source) => {
    const object = join(objects, `${source.replaceAll('/', '-')}.o`);
    run([...COMPILE_FLAGS, ...includes, ...mapped, '-c', source, '-o', object]);
    return object;
  });
  const linked = join(objects, 'linked');
  run([...COMPILE_FLAGS, ...LINK_FLAGS, `-Wl,-T,${recipe.script}`, ...objectFiles, '-o', linked]);
  const outputs = [join(folder, `${recipe.name}.elf`), join(folder, debugFile(recipe.name))] as const;
  run([...IMAGE_FLAGS, linked, outputs[0]], OBJCOPY);
  run([...DEBUG_FLAGS, linked, outputs[1]], OBJCOPY);
  return { image: readFileSync(outputs[0]), debug: readFileSync(outputs[1]) };
}

function run(args: readonly string[], tool = COMPILER): void {
  const result = spawnSync(tool, args, { cwd: SUBJECT_FOLDER, encoding: 'utf8' });
  if (result.status !== 0) throw new BuildError(`${tool} failed:\n${result.stderr ?? result.error?.message}`, 1);
  if (result.stderr !== '') console.error(result.stderr);
}

function install(folder: string, manifest: Manifest): number {
  for (const { file } of filesOf(manifest)) copyFileSync(join(folder, file), IMAGES_FOLDER + file);
  writeFileSync(`${IMAGES_FOLDER}manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  for (const { file, sizeBytes } of filesOf(manifest)) console.log(`${file} ${sizeBytes} bytes`);
  return 0;
}

function compare(folder: string, manifest: Manifest): number {
  const committed = readManifest();
  const files = filesOf(manifest);
  const different = files.filter(({ file }) => {
    const fresh = readFileSync(join(folder, file));
    return !(existsSync(IMAGES_FOLDER + file) && fresh.equals(readFileSync(IMAGES_FOLDER + file)));
  });
  for (const { file } of different) {
    console.error(
      `${file}: the sources make other bytes than the committed file (committed with: ${committed.compiler};`,
    );
    console.error(
      `  here: ${manifest.compiler}): run \`node engine/subject/images/build.ts\` and commit, or restore the sources`,
    );
  }
  if (JSON.stringify(committed) !== JSON.stringify(manifest) && different.length === 0) {
    console.error('manifest.json is out of date: run `node engine/subject/images/build.ts` and commit');
    return 1;
  }
  if (different.length === 0) console.log(`${files.length} files are what their sources make`);
  return different.length === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
