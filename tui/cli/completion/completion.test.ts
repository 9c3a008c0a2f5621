/**
 * What shells are told of the command line: all of it, and nothing that is not taken. The shells: completion.peer.ts.
 */
import { describe, expect, it, test } from 'vitest';
import { parseFault } from '../../../engine/index.ts';
import { findSetup, parseEnhance, parseRecovery } from '../../../properties/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { FAULT_EXAMPLES, FLAGS, type FlagName, flagSpec, spellingsOf } from '../flags.ts';
import { SHELLS } from '../shells.ts';
import { cli } from '../test-io.ts';
import { VERBS } from '../verbs.ts';
import { bashCompletion } from './bash.ts';
import { brief, describeCommandLine, spellingsIn } from './description.ts';
import { fishCompletion } from './fish.ts';
import { suggestions } from './suggestions.ts';
import { zshCompletion } from './zsh.ts';

const described = describeCommandLine(VERBS);
const offers = suggestions(VERBS);

describe('the description', () => {
  it('has what --help has: every verb and every option of each, help itself included', async () => {
    const listed = async (argv: readonly string[], heading: string) => {
      const { out } = await cli(argv);
      const [, block = ''] = new RegExp(`\\n${heading}:\\n(.*?)\\n\\n`, 's').exec(`${out}\n\n`) ?? [];
      return [...block.matchAll(/^ {2}(\S.*?)(?: {2}.*)?$/gm)].map(([, term = '']) => term);
    };
    const verbs = (await listed(['--help'], 'Commands')).map((term) => term.split(' ')[0]);
    expect(described.verbs.map(({ name }) => name).sort()).toEqual(verbs.sort());
    for (const verb of described.verbs.filter(({ name }) => name !== 'help')) {
      const options = (await listed([verb.name, '--help'], 'Options')).flatMap(spellingsOf);
      expect(options).toEqual(verb.options.flatMap(({ short, long }) => [...short, long]));
    }
    const options = (await listed(['--help'], 'Options')).flatMap(spellingsOf);
    expect(options).toEqual(described.options.flatMap(({ short, long }) => [...short, long]));
  });

  it('has every spelling that the parser takes, and offers no value to a switch', async () => {
    const verb = described.verbs.find(({ name }) => name === 'record')!;
    for (const option of verb.options.filter(({ long }) => long !== '--help')) {
      for (const spelling of spellingsIn(option)) {
        const { err } = await cli(['record', spelling]);
        expect([spelling, /argument missing/.test(err)]).toEqual([spelling, option.value !== undefined]);
        if (option.value === undefined) break;
      }
    }
  });
});

describe('what is offered is taken', () => {
  const flagsOf = (takes: string) =>
    (Object.keys(FLAGS) as FlagName[]).filter((name) => flagSpec(name).takes === takes);

  test('by the parsers of flags', () => {
    const whole = { drive: ['1,size=64K', 'x'], netdev: ['n0,port=1'], 'fault-plan': ['8M', 'x@8M'] } as const;
    for (const [takes, { words }] of Object.entries(offers)) {
      for (const name of flagsOf(takes)) {
        for (const word of words) {
          const ends = whole[takes as keyof typeof whole] ?? [''];
          const taken = ends.some((end) => {
            try {
              flagSpec(name).parse!(word + (/[=@]$/.test(word) ? end : ''));
              return true;
            } catch {
              return false;
            }
          });
          expect([name, word, taken]).toEqual([name, word, true]);
        }
      }
    }
  });

  test('by those who look the words up, and all that they know is offered', () => {
    const known = (look: () => unknown) => {
      try {
        look();
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    for (const word of offers.setup.words) {
      if (word.endsWith('@')) expect(known(() => findSetup(word))).toContain('no file is named');
      else expect(findSetup(word).name).toBe(word);
    }
    for (const word of offers.recovery.words) expect(parseRecovery(word)).toBe(word);
    for (const word of offers.enhancements.words) parseEnhance(word);
    for (const example of FAULT_EXAMPLES) parseFault(example);
    // The messages list what there is.
    for (const [message, words] of [
      [known(() => findSetup('?')), offers.setup.words],
      [known(() => parseRecovery('?')), offers.recovery.words],
      [known(() => parseFault('?')), offers.fault.words.map((word) => word.replace('=', ''))],
      [known(() => parseEnhance('?')), offers.enhancements.words.filter((word) => !word.startsWith('-'))],
    ] as const) {
      const listed = /(?:expected|are|know\w*|:) .*$/s.exec(message)?.[0] ?? message;
      for (const word of words) expect(listed).toContain(word);
    }
  });

  test('and what --help lists for a mechanism is what is offered', () => {
    expect(FLAGS.recovery.help).toBe(`recovery mechanism: ${offers.recovery.words.join(', ')}`);
  });
});

describe('the scripts', () => {
  const scripts = { bash: bashCompletion(described), zsh: zshCompletion(described), fish: fishCompletion(described) };

  it.each(SHELLS)('of %s is printed as it is, through the door to the terminal', async (shell) => {
    expect(await cli(['completion', shell])).toEqual({ code: EXIT.ok, out: scripts[shell], err: '' });
  });

  it('refuses another shell', async () => {
    const { code, err } = await cli(['completion', 'fih']);
    expect(err).toContain('(did you mean fish?)');
    expect(code).toBe(EXIT.usage);
  });

  it.each(SHELLS)('of %s has every verb, every option and every word', (shell) => {
    // fish names options without dashes: -l kernel -o kernel -s o.
    const spelt = (text: string) =>
      shell !== 'fish'
        ? text
        : text.startsWith('--')
          ? `-l ${text.slice(2)}`
          : `-${text.length > 2 ? 'o' : 's'} ${text.slice(1)}`;
    for (const verb of described.verbs) {
      expect(scripts[shell]).toContain(verb.name);
      for (const option of verb.options) {
        for (const text of spellingsIn(option)) expect(scripts[shell]).toContain(spelt(text));
        for (const word of option.value?.words ?? []) expect(scripts[shell]).toContain(word);
      }
    }
  });
});

test('a help text is shortened to its first clause', () => {
  expect(brief('disk image (repeatable): file=x; more. And more')).toBe('disk image');
  expect(brief('stop there even if it runs: 50M')).toBe('stop there even if it runs');
  expect(brief('firmware, ELF or flat; none')).toBe('firmware, ELF or flat');
});
