/** What is generated in the documents is what would be generated now; if not: `npm run docs`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { VERBS } from '../tui/cli/verbs.ts';
import { documentPath, type GeneratedPart, PARTS, part } from './docs.ts';
import { markdownFiles } from './markdown.ts';
import { TWO_VMS, twoVmsImage } from './two-vms.ts';

const read = (file: string) => readFileSync(documentPath(file), 'utf8');
const title = ({ file, name }: GeneratedPart) => (name === undefined ? file : `${name} in ${file}`);

describe('the committed text is the generated one', () => {
  // Those that need a run: docs.slow.ts.
  for (const generated of PARTS.filter(({ fromRun }) => !fromRun)) {
    const committed = read(generated.file);
    test(title(generated), () => expect(committed).toBe(generated.rewrite(committed)));
  }
});

test("the image of docs/debugging.md is its source's", () => {
  expect(Buffer.compare(readFileSync(documentPath(TWO_VMS)), twoVmsImage())).toBe(0);
});

test('every part that says it is generated has a row, once', () => {
  const marked = markdownFiles(documentPath('.')).flatMap((file) =>
    [...read(file).matchAll(/^<!-- (.+?): written by `npm run docs`.*-->$/gm)].map(([, name]) => `${name} in ${file}`),
  );
  expect(marked.sort()).toEqual(
    PARTS.filter(({ name }) => name !== undefined)
      .map(title)
      .sort(),
  );
});

test('the README names every verb in one row of its table, with the line that --help has', () => {
  const rows = [...read('README.md').matchAll(/^\| `dejavm (\S+)[^`]*` \| (.*) \|$/gm)].map(([, verb, does]) => [
    verb,
    does,
  ]);
  expect(rows).toEqual(VERBS.map(({ name, summary }) => [name, summary]));
});

describe('a part', () => {
  const x = part('x.md', 'x', () => 'new');
  const [begin, end] = ['<!-- x: written by `npm run docs` -->', '<!-- end of x -->'];

  it('replaces what stands between its comments, and nothing else', () => {
    expect(x.rewrite(`a\n${begin}\nold\n${end}\nb\n`)).toBe(`a\n${begin}\nnew\n${end}\nb\n`);
  });

  it('refuses a document without them', () => {
    expect(() => x.rewrite(`${end}\n${begin}\n`)).toThrow('x.md: expected <!-- x: written by');
    expect(() => x.rewrite(begin)).toThrow('and, behind it, <!-- end of x -->');
  });
});
