/**
 * The manifest of the committed images, and the check that images, manifest and sources belong together.
 * Needs no compiler; that the compiler makes these very bytes is what `build.ts --check` shows.
 */
import { readFileSync } from 'node:fs';
import { BUNDLE_FILE, bundleSourcesHash, IMAGES_FOLDER, RECIPES, sha256, sourcesHash } from './recipes.ts';

interface ManifestFile {
  readonly file: string;
  readonly sizeBytes: number;
  /** Of the file. */
  readonly sha256: string;
}
export interface ManifestEntry extends ManifestFile {
  /** Over everything it is made from. */
  readonly sources: string;
  /** Hash of what is loaded of it (debug-files.ts); the bundle has none. */
  readonly loaded?: string;
  /** Its debug information. */
  readonly debug?: ManifestFile;
}
export interface Manifest {
  /** First line of the compiler's --version. */
  readonly compiler: string;
  readonly flags: string;
  readonly images: readonly ManifestEntry[];
}

/** Reads manifest.json. @throws Error when it is missing or no JSON. */
export function readManifest(): Manifest {
  return JSON.parse(readFileSync(`${IMAGES_FOLDER}manifest.json`, 'utf8')) as Manifest;
}

/** Every file that is built. */
export const filesOf = ({ images }: Manifest): ManifestFile[] =>
  images.flatMap((image) => (image.debug ? [image, image.debug] : [image]));

/** One line for each thing that does not fit: an image that was changed, or sources that changed since it was built. */
export function manifestProblems(manifest: Manifest = readManifest()): string[] {
  const mend = 'run `node engine/subject/images/build.ts` and commit engine/subject/images';
  const made = RECIPES.map((recipe) => ({ file: `${recipe.name}.elf`, sources: sourcesHash(recipe) }));
  return [...made, { file: BUNDLE_FILE, sources: bundleSourcesHash() }].flatMap(({ file, sources }) => {
    const entry = manifest.images.find((image) => image.file === file);
    if (!entry) return [`${file} is not in the manifest: ${mend}`];
    const problems: string[] = [];
    for (const its of filesOf({ ...manifest, images: [entry] })) {
      if (sha256(readFileSync(IMAGES_FOLDER + its.file)) !== its.sha256) {
        problems.push(`${its.file} is not the file that the manifest names: ${mend}`);
      }
    }
    if (sources !== entry.sources) problems.push(`${file} is older than its sources: ${mend}`);
    return problems;
  });
}
