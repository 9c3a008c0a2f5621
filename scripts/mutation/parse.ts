/**
 * Syntax trees of source texts, from the parser of the `typescript` package. It takes AssemblyScript too, whose syntax
 * is TypeScript's: only types and built-in functions differ, and nobody asks for types here. Relies on the interface
 * that the package calls unstable; its version is pinned.
 */
import type { SourceFile } from 'typescript/unstable/ast';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';

/** Everything parsed lies here; nothing is read from disk. */
const FOLDER = '/mutation';
const CONFIG = `${FOLDER}/tsconfig.json`;

/** One tree per text, by the same path. @throws Error for a text that does not parse. */
export function parseAll(texts: ReadonlyMap<string, string>): Map<string, SourceFile> {
  const options = { compilerOptions: { noLib: true, noResolve: true, types: [] }, include: ['**/*.ts', '**/*.tsx'] };
  const files: Record<string, string> = { [CONFIG]: JSON.stringify(options) };
  for (const [path, text] of texts) files[`${FOLDER}/${path}`] = text;
  const api = new API({ cwd: FOLDER, fs: createVirtualFileSystem(files) });
  try {
    const program = api.updateSnapshot({ openProjects: [CONFIG] }).getProject(CONFIG)?.program;
    const trees = new Map<string, SourceFile>();
    for (const path of texts.keys()) {
      const tree = program?.getSourceFile(`${FOLDER}/${path}`);
      if (tree === undefined || program === undefined) throw new Error(`${path}: the parser does not know it`);
      const [wrong] = program.getSyntacticDiagnostics(`${FOLDER}/${path}`);
      if (wrong !== undefined) throw new Error(`${path}: ${wrong.text}`);
      trees.set(path, tree);
    }
    return trees;
  } finally {
    api.close();
  }
}
