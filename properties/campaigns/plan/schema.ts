/**
 * The campaign file's form: which keys there are, of what kind, and what they default to. Knows neither set-ups nor
 * enhancements by name (plan.ts asks the testbed), and not where in the file something stands (file.ts does).
 */
import { z } from 'zod';
import { FAULT_CSRS, type PrivilegedModes } from '../../../engine/index.ts';
import { MEMORY_KINDS } from '../injection/index.ts';
import { FAULT_CLASSES, SINGLE_CLASSES } from '../types.ts';
import { MAX_SEEDS } from './seeds.ts';

/** Injections of each class in the papers' campaigns (DSN 2018, section VII). */
export const PAPER_SIZES: Readonly<Record<string, number>> = { failstop: 1000, register: 5000, code: 2000 };

export const MAX_CELL_SIZE = 1_000_000;
/** Seeds next to one another are taken for the overhead, and all must be exact as numbers. */
const MAX_SEED = 2 ** 48;
/** Longest distance behind the random time, in HS-mode instructions. The papers': 20,000. */
const MAX_INSTRUCTIONS = 10_000_000;

/** Longest list of a campaign file. */
const MAX_LIST = 1000;
const TOO_LONG = `the list is too long: expected at most ${MAX_LIST}`;

const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, oneAtLeast(item)]);
const oneAtLeast = <T extends z.ZodType>(item: T, what = 'one') =>
  z.array(item).min(1, `the list is empty: expected at least ${what}`).max(MAX_LIST, TOO_LONG);
const anyNumberOf = <T extends z.ZodType>(item: T) => z.array(item).max(MAX_LIST, TOO_LONG);

const range = (low: number, high: number, unit: string, integer: boolean) => {
  const what = `expected a ${integer ? 'whole number' : 'number'} of ${unit} from ${low} to ${high}`;
  const bound = (integer ? z.int(what) : z.number(what)).min(low, what).max(high, what);
  return z
    .tuple([bound, bound], `expected [from, to], ${unit}`)
    .refine(([from, to]) => from <= to, `an impossible trigger: expected [from, to] in ${unit}, from not above to`);
};

/** What the time of a fault is drawn from: virtual time, the papers' way; or the instructions of privileged modes. */
const TRIGGER_SPACES = ['time', 'hypervisor', 'machine', 'privileged'] as const satisfies ('time' | PrivilegedModes)[];

const triggers = z.strictObject({
  /**
   * `time`: a virtual time, then some HS-mode instruction behind it: mostly where the hypervisor idles. `privileged`:
   * any instruction of HS- and M-mode, each as likely as the next; `hypervisor`, `machine`: of HS- or M-mode only.
   */
  over: z.enum(TRIGGER_SPACES, `expected one of ${TRIGGER_SPACES.join(', ')}`).default('time'),
  /** Percent of the golden run: of its virtual time, or of those instructions. */
  run: range(0, 100, 'percent of the run', false)
    .refine(([, to]) => to > 0, 'an impossible trigger: nothing has run yet at 0 percent')
    .default([10, 90]),
  /** HS-mode instructions that retire between the random time and the fault; only over `time`. */
  instructions: range(0, MAX_INSTRUCTIONS, 'HS-mode instructions', true).default([0, 2000]),
});

const code = z.strictObject({
  /** `instruction`: one bit of the instruction at pc. 16: one bit of the 16 bytes from pc on, as the papers do. */
  window: z.union([z.literal('instruction'), z.literal(16)], "expected 16 (bytes) or 'instruction'").default(16),
  /** Whether the flipped bit is repaired once an error is detected; of `code` only: `code-permanent` never is. */
  repair: z.boolean('expected true or false').default(true),
});

const classes = (unlessGiven: readonly (typeof SINGLE_CLASSES)[number][]) =>
  oneAtLeast(z.enum(SINGLE_CLASSES, `expected one of ${SINGLE_CLASSES.join(', ')}`)).default([...unlessGiven]);

const list = <const T extends readonly [string, ...string[]]>(items: T) =>
  oneAtLeast(z.enum(items, `expected one of ${items.join(', ')}`)).default([...items]);

/** Classes of the first and of the second of two faults; each is drawn from its list. */
const two = z.strictObject({
  first: classes(['failstop']),
  second: classes(['failstop', 'register', 'code']),
});

const memory = z.strictObject({ where: list(MEMORY_KINDS) });
const csr = z.strictObject({ registers: list(FAULT_CSRS) });

const interrupt = z.strictObject({
  /** Inter-processor interrupts, the supervisor timer, or the interrupts of the set-up's devices. */
  lines: list(['ipi', 'timer', 'device']),
  effects: list(['lost', 'duplicated', 'late']),
  /** How late, in ns of virtual time. */
  delay: range(1, 1_000_000_000_000, 'ns', true).default([1_000, 10_000_000]),
});

const faultClass = z.enum(FAULT_CLASSES, `expected one of ${FAULT_CLASSES.join(', ')}`);

const SIZE = `expected a number of injections from 1 to ${MAX_CELL_SIZE}, or 'paper' for the papers' size of the class`;
const size = z.union([z.int(SIZE).min(1, SIZE).max(MAX_CELL_SIZE, SIZE), z.literal('paper')], SIZE);
const SEEDS = `expected a number of evaluation seeds: a whole number from 1 to ${MAX_SEEDS}`;
const seeds = z.int(SEEDS).min(1, SEEDS).max(MAX_SEEDS, SEEDS);
const SEED = `expected a seed: a whole number from 0 to ${MAX_SEED}`;
const seed = z.int(SEED).min(0, SEED).max(MAX_SEED, SEED);
const NAME = 'expected a name of letters, digits, . _ -, at most 100 of them';
const name = z.string('expected a name').regex(/^[a-z0-9][a-z0-9._-]{0,99}$/i, NAME);

/** Also the path of an image, as in `linux@Image`: what it may look like is said when it is looked for. */
const setupName = z.union([name, z.string().regex(/^[a-z]+@/)], NAME);

const mechanism = z.strictObject({
  recovery: z.enum(['none', 'rehype', 'nilihype'], 'expected none, rehype or nilihype'),
  enhance: z.union([z.literal('all'), anyNumberOf(name)], "expected 'all' or a list of enhancements").default('all'),
  checks: z.union([z.literal('all'), anyNumberOf(name)], "expected 'all' or a list of self-checks").default('all'),
});

const drawOptions = {
  triggers: triggers.optional(),
  code: code.optional(),
  memory: memory.optional(),
  csr: csr.optional(),
  interrupt: interrupt.optional(),
  two: two.optional(),
};

const cells = z.strictObject({
  setup: oneOrMore(setupName),
  fault: oneOrMore(faultClass),
  mechanism: oneOrMore(name),
  size,
  seed: seed.optional(),
  seeds: seeds.optional(),
  ...drawOptions,
});

const KINDS = ['cumulative', 'leave-one-out'] as const;
const ladder = z.strictObject({
  setup: oneOrMore(setupName),
  fault: oneOrMore(faultClass),
  /** The mechanism whose enhancements are the rungs. */
  mechanism: oneOrMore(name),
  kind: oneOrMore(z.enum(KINDS, `expected ${KINDS.join(' or ')}`)).default([...KINDS]),
  /**
   * Enhancements, self-checks, or both from the first rung to the last, some of them together as one rung; all its
   * enhancements in the mechanism's own order unless given. Of what it names none, the mechanism's own stay on.
   */
  order: oneAtLeast(oneOrMore(name), 'one enhancement').optional(),
  size,
  seed: seed.optional(),
  seeds: seeds.optional(),
  ...drawOptions,
});

export const campaignFile = z.strictObject({
  name,
  seed: seed.optional(),
  seeds: seeds.optional(),
  triggers: triggers.prefault({}),
  code: code.prefault({}),
  memory: memory.prefault({}),
  csr: csr.prefault({}),
  interrupt: interrupt.prefault({}),
  two: two.prefault({}),
  mechanisms: z.record(name, mechanism).default({}),
  cells: anyNumberOf(cells).default([]),
  ladders: anyNumberOf(ladder).default([]),
  /** Set-ups whose normal operation is measured with the undo log on and off. */
  overhead: anyNumberOf(setupName).default([]),
});

/** A campaign file that has the right form; names in it are not checked yet. */
export type CampaignFile = z.output<typeof campaignFile>;
export type CellsEntry = CampaignFile['cells'][number];
export type LadderEntry = CampaignFile['ladders'][number];
export type DrawOptions = Required<{ [K in keyof typeof drawOptions]: CampaignFile[K] }>;

/**
 * The keys that a mapping at a place in the file can have, whichever of several forms it has; none where there is no
 * mapping.
 */
export function keysAt(path: readonly (string | number)[]): string[] {
  let forms = formsOf(campaignFile);
  for (const part of path) {
    forms = forms.flatMap((form) => {
      if (form instanceof z.ZodObject) return formsOf(form.shape[part]);
      if (form instanceof z.ZodArray) return formsOf(form.element);
      return form instanceof z.ZodRecord ? formsOf(form.valueType) : [];
    });
  }
  return forms.flatMap((form) => (form instanceof z.ZodObject ? Object.keys(form.shape) : []));
}

/** What remains of a type without its defaults, and its alternatives one by one. */
function formsOf(type: z.core.$ZodType | undefined): z.core.$ZodType[] {
  if (type instanceof z.ZodUnion) return type.options.flatMap(formsOf);
  const isWrapped = type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodOptional;
  if (isWrapped) return formsOf(type.def.innerType);
  return type ? [type] : [];
}
