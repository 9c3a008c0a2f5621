/** The repository's documents. */
import { globSync } from 'node:fs';

const FOREIGN = ['node_modules/**', 'dist/**', '.git/**', '.peers/**'];

/** Paths of the Markdown files below the repository's root, seen from there. */
export const markdownFiles = (root: string): string[] =>
  globSync('**/*.md', { cwd: root, exclude: FOREIGN })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
