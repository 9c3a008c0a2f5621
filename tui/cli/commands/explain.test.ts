import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-explain-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);
const explain = (...words: string[]) => cli(['explain', ...words]);

const LENGTH = ['--max-moment', '1400k', '--digest-every', '100k'];

beforeAll(async () => {
  for (const [name, ...words] of [
    ['golden'],
    ['faulted', '--fault', 'register=pc,bit=20@1196k'],
    ['masked', ...POKE],
  ]) {
    const { code, err } = await cli(['record', '-o', file(`${name}.djvm`), ...LENGTH, ...words]);
    expect([code, err]).toEqual([EXIT.ok, err]);
  }
});

/** A word that nobody reads. */
const POKE = ['--poke', '1200k:0x87000000:5a'];

describe('explain', () => {
  it('leads from what is seen of a planned fault to the fault', async () => {
    const { code, out } = await explain(file('faulted.djvm'), '--golden', file('golden.djvm'), '--json');
    const { symptoms, explained, firstDifference } = JSON.parse(out);
    expect(symptoms.length).toBeGreaterThan(0);
    expect([code, explained.cause.kind, explained.cause.bits]).toEqual([EXIT.ok, 'pc', [20]]);
    expect(explained.cause.inputs).toEqual(['fault']);
    expect(firstDifference.equalAt).toEqual(explained.cause.position);
  });

  it('has nothing to say of a run that does not fail', async () => {
    const { code, out } = await explain(file('masked.djvm'), '--golden', file('golden.djvm'));
    expect([code, out]).toEqual([EXIT.ok, expect.stringMatching(/^no symptom: nothing to explain\n/)]);
  });

  it('says how the golden run is recorded when there is none', async () => {
    const { code, err } = await explain(file('faulted.djvm'));
    expect(code).toBe(EXIT.usage);
    expect(err).toMatch(/record it with: dejavm record --max-moment 1400k --digest-every 100k -o golden\.djvm\n$/);
    expect((await explain(file('golden.djvm'))).err).toMatch(/made by: dejavm inject RESULTS#ROW --record faulted/);
  });

  it('says what is known when Ctrl-C ends it', async () => {
    const onInterruptible = (interrupt: () => void) => interrupt();
    const words = ['explain', file('faulted.djvm'), '--golden', file('golden.djvm')];
    const { code, out, err } = await cli(words, { onInterruptible });
    expect([code, out]).toEqual([EXIT.interrupted, 'what a user sees is not known yet\n']);
    expect(err).toMatch(/stopped by Ctrl-C/);
  });

  it.each<[words: string[], says: RegExp]>([
    [['golden.djvm', '--keep', 'x'], /--keep is for a row of a campaign/],
    [['no.sqlite#1', '--golden', 'golden.djvm'], /is recorded with its fault and without: leave out --golden/],
    [['no.sqlite#1', '--keep', '/proc/none'], /--keep \/proc\/none: expected a folder.* cannot be made/],
    [['no.sqlite#1', '--keep', join(folder, 'a', 'b')], /the folder that it would be in does not exist/],
    [['no.sqlite#1', '--keep', join(folder, 'file')], /expected a folder.*EEXIST/],
    [['no.sqlite#1'], /no\.sqlite: no such file/],
  ])('%j is refused', async ([name, ...words], says) => {
    writeFileSync(file('file'), '');
    const { code, out, err } = await explain(file(name!), ...words);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(says);
  });
});
