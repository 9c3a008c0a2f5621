/**
 * `npm run docs` writes every part of the documents that is generated, from the tables and from a real run; tests
 * compare what is committed. A part is a whole file, the transcripts in a file, or what stands between two comments:
 *
 *     <!-- verbs: written by `npm run docs` -->
 *     <!-- end of verbs -->
 *
 * To add one: the comments where it belongs, and a row in PARTS. Relies on `npm run build`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../engine/subject/images/manifest.ts';
import { jsonPage } from './json-page.ts';
import { machineStatus } from './machine-status.ts';
import { manPage } from './man-page.ts';
import { MEASURED_DOCUMENTS, withMeasuredImages } from './measured-images.ts';
import { demoTranscript, exitCodeList, verbTable } from './readme-parts.ts';
import { withTranscripts } from './transcripts.ts';
import { TWO_VMS, twoVmsImage } from './two-vms.ts';

export interface GeneratedPart {
  /** From the root of the repository. */
  readonly file: string;
  /** Word of its comments, if it has any. */
  readonly name?: string;
  /** The document with this part written anew. @throws Error when it lacks the part's comments */
  readonly rewrite: (document: string) => string;
  /** Made by running dejavm, not from tables alone: the test of it takes that long. */
  readonly fromRun?: true;
}

export const PARTS: readonly GeneratedPart[] = [
  { file: 'docs/machine.md', rewrite: machineStatus },
  { file: 'docs/dejavm.1', rewrite: manPage },
  { file: 'docs/json.md', rewrite: jsonPage },
  part('README.md', 'verbs', verbTable),
  part('README.md', 'exit-codes', exitCodeList),
  { ...part('README.md', 'demo', demoTranscript), fromRun: true },
  { file: 'docs/debugging.md', rewrite: withTranscripts, fromRun: true },
  ...MEASURED_DOCUMENTS.map((file) => ({
    file,
    name: 'measured images',
    rewrite: (document: string) => withMeasuredImages(document, readManifest().images),
  })),
];

/** A part that does not depend on what stands there. */
export function part(file: string, name: string, text: () => string): GeneratedPart {
  const begin = `<!-- ${name}: written by \`npm run docs\` -->`;
  const end = `<!-- end of ${name} -->`;
  const rewrite = (document: string) => {
    const from = document.indexOf(begin);
    const to = document.indexOf(end);
    if (from < 0 || to < from) throw new Error(`${file}: expected ${begin} and, behind it, ${end}`);
    return `${document.slice(0, from + begin.length)}\n${text()}\n${document.slice(to)}`;
  };
  return { file, name, rewrite };
}

export const documentPath = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));

if (import.meta.main) {
  // The transcripts of docs/debugging.md record it.
  writeFileSync(documentPath(TWO_VMS), twoVmsImage());
  for (const { file, rewrite } of PARTS) {
    const path = documentPath(file);
    writeFileSync(path, rewrite(readFileSync(path, 'utf8')));
  }
}
