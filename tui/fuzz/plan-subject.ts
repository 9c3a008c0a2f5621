/** Campaign files: text that is cut and mended with what means something to YAML, to JavaScript or to a plan. */
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { campaignCatalogue, planCampaign } from '../../properties/index.ts';
import { CHANGE, type Change, change } from './mutate.ts';
import { subject } from './subject.ts';

export const PLAN_TEXT = `name: trial
seed: 3
mechanisms: { half: { recovery: rehype, enhance: [locks, irq] } }
cells:
  - &first
    setup: [compute, team]
    fault: [failstop, register]
    mechanism: [none, rehype, half]
    size: 2
    triggers: { run: [10, 90], instructions: [0, 2000] }
ladders:
  - { setup: compute, fault: memory, mechanism: nilihype, kind: [cumulative, leave-one-out], order: [irq, [timer, sched]], size: 1 }
overhead: [compute]
`;
const PIECES = PLAN_TEXT.match(/[a-z0-9-]+|\s+|[^a-z0-9-]/g)!;

const YAML_WORDS = ['[', ']', '{', '}', ': ', '- ', '? ', ', ', '\n', '\n  ', '"', "'", '|\n', '>\n', '#', '---\n'];
const TAGS = [
  '%YAML 1.1\n---\n',
  '&a ',
  '*a',
  '*first',
  '<<: ',
  '!!set ',
  '!!binary ',
  '!!int ',
  '[[[[[[[[',
  '{a: {a: {a: ',
];
const VALUES = ['~', 'null', 'true', '.nan', '.inf', '-1', '0', '1e15', '9007199254740993', '0x7fffffff', '1_000'];
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'compute',
  'none',
  'rehype',
  'paper',
  'size: 1000000',
  'setup: compute',
];
const CHARACTERS = ['\u0000', '\ufeff', '\t', '\u2028', '\ud800', '\x1b[2J'];

interface Edit {
  readonly at: number;
  readonly drop: number;
  readonly put: string;
  readonly times: number;
}

const EDIT: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat({ max: PIECES.length - 1 }),
  drop: fc.nat({ max: 2 }),
  put: fc.constantFrom('', ...YAML_WORDS, ...TAGS, ...VALUES, ...NAMES, ...CHARACTERS),
  times: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 3000 })),
});

/** Either the text, or what it means. */
type PlanChange = { readonly edits: readonly Edit[] } | { readonly values: readonly Change[] };

export const PLANS = subject<PlanChange>('campaign file', async () => ({
  changes: fc.oneof(
    fc.record({ edits: fc.array(EDIT, { minLength: 1, maxLength: 3 }) }),
    fc.record({ values: fc.array(CHANGE, { minLength: 1, maxLength: 3 }) }),
  ),
  make(its) {
    const text = 'edits' in its ? edited(its.edits) : revalued(its.values);
    const act = () => {
      const { cells } = planCampaign(text, 'trial.yaml', campaignCatalogue);
      const rows = cells.reduce((sum, { size }) => sum + size, 0);
      if (cells.length > 10_000 || rows > 1_000_000)
        throw new Error(`a plan of ${cells.length} cells and ${rows} rows`);
    };
    return { doors: { planning: { act } } };
  },
}));

function edited(edits: readonly Edit[]): string {
  const pieces = [...PIECES];
  for (const { at, drop, put, times } of edits) pieces.splice(at % pieces.length, drop, put.repeat(times));
  return pieces.join('');
}

function revalued(changes: readonly Change[]): string {
  const tree = parse(PLAN_TEXT) as object;
  for (const one of changes) change(tree, one);
  return stringify(tree);
}
