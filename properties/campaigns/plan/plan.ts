/**
 * From a campaign file to its cells: names are looked up, lists are multiplied out, ladders become rungs. The plan is a
 * function of the file and the testbed's catalogue alone; every name that the testbed does not know is refused where it
 * stands. Runs nothing.
 */
import { createHash } from 'node:crypto';
import { didYouMean, noSuchName, type UserError } from '../../../engine/index.ts';
import type { Mechanism } from '../injection/index.ts';
import type { CampaignCell, FaultClass } from '../types.ts';
import { type FilePath, type Problem, parseCampaignFile } from './file.ts';
import { mechanismText, seedText } from './label.ts';
import { chosenChecks, rungs } from './ladder.ts';
import { type CampaignFile, type CellsEntry, type DrawOptions, type LadderEntry, PAPER_SIZES } from './schema.ts';
import { type DrawnSeed, evaluationSeed, type SetupImages, spread } from './seeds.ts';
import type { Catalogue } from './testbed.ts';
import { variantOf } from './variant.ts';

export interface PlannedCell extends CampaignCell {
  readonly options: DrawOptions;
}

export interface CampaignPlan extends SetupImages {
  readonly name: string;
  /** The file's text. */
  readonly text: string;
  /**
   * sha256 of what the file means: comments and order of keys do not count, sizes and names do. Evaluation seeds count
   * by number: other images are another machine, not another plan.
   */
  readonly hash: string;
  readonly cells: readonly PlannedCell[];
  /** Set-ups to be measured without faults, each with several seeds; `checks`: all self-checks that there are. */
  readonly overhead: readonly { readonly setup: string; readonly seed: number; readonly checks: readonly string[] }[];
}

export interface PlanOptions {
  /** Sizes of the papers' campaigns for every cell of their fault classes, ladders excepted. */
  readonly paperScale?: boolean;
}

const PLAIN: Readonly<Record<string, Mechanism['recovery']>> = { none: 'none', rehype: 'rehype', nilihype: 'nilihype' };

/** Lists multiply: what a campaign may come to. */
const MAX_CELLS = 10_000;
const MAX_ROWS = 1_000_000;

/** Seeds of the fault-free runs of a set-up: evaluation seeds where the file has some, else from its seed on. */
const OVERHEAD_SEEDS = 5;

/** Of a file that says nothing of seeds: a development seed. */
const DEFAULT_SEED = 1;

/**
 * Plans a campaign.
 * @param source what the file is called in errors
 * @throws UserError with every mistake in the file, one per line
 */
export function planCampaign(
  text: string,
  source: string,
  catalogue: Catalogue,
  options: PlanOptions = {},
): CampaignPlan {
  const { file, refuse } = parseCampaignFile(text, source);
  const planner = new Planner(file, catalogue, options.paperScale === true);
  planner.plan();
  if (planner.problems.length > 0) throw refuse(planner.problems);
  const { cells, images, imagesOf } = planner;
  const overhead = file.overhead.flatMap((setup) => planner.overheadSeeds(setup).map((drawn) => ({ setup, ...drawn })));
  const meaning = JSON.stringify({ name: file.name, cells: cells.map(asWritten), overhead: overhead.map(asWritten) });
  const hash = createHash('sha256').update(meaning).digest('hex');
  const runs = overhead.map(({ setup, seed }) => ({ setup, seed, checks: catalogue.checks }));
  return { name: file.name, text, hash, cells, overhead: runs, images, imagesOf };
}

/** Without a seed that the images decide. */
const asWritten = <T extends DrawnSeed>(of: T) => (of.evaluation === undefined ? of : { ...of, seed: undefined });

type NewCell = Omit<CampaignCell, 'id' | keyof DrawnSeed>;

/** One line of the plan to be, and the entry of the file that it comes from. */
interface Combination {
  readonly cell: NewCell;
  readonly entry: CellsEntry | LadderEntry;
  /** Where its mechanism stands. */
  readonly path: FilePath;
}

/** The keys of a file, or of one of its entries, that say where seeds come from. */
type Seeding = Pick<CampaignFile, 'seed' | 'seeds'>;

/** An entry's own, else the file's. */
const seedingOf = (entry: Seeding, file: Seeding): Seeding =>
  entry.seed === undefined && entry.seeds === undefined ? file : entry;

class Planner {
  readonly problems: Problem[] = [];
  readonly cells: PlannedCell[] = [];
  readonly images: Record<string, string> = {};
  readonly imagesOf: Record<string, readonly string[]> = {};
  private readonly file: CampaignFile;
  private readonly catalogue: Catalogue;
  private readonly paperScale: boolean;
  private readonly seen = new Set<string>();

  constructor(file: CampaignFile, catalogue: Catalogue, paperScale: boolean) {
    this.file = file;
    this.catalogue = catalogue;
    this.paperScale = paperScale;
  }

  plan(): void {
    const { cells, ladders, overhead } = this.file;
    if (cells.length + ladders.length === 0) {
      this.refuse([], "nothing to run: give at least one entry of 'cells' or 'ladders'");
    }
    for (const [list, entries] of Object.entries({ cells, ladders })) {
      for (const [i, entry] of entries.entries()) this.checkSeeds(entry, [list, i]);
    }
    this.requireOneSeed(this.file, []);
    for (const name of Object.keys(this.file.mechanisms)) this.mechanism(name, ['mechanisms', name]);
    this.addCells();
    for (const [i, setup] of overhead.entries()) {
      this.setup(setup, ['overhead', i]);
      if (overhead.indexOf(setup) < i) this.refuse(['overhead', i], `set-up '${setup}' is there twice`);
    }
  }

  private refuse(path: FilePath, why: string): undefined {
    this.problems.push({ path, why });
    return undefined;
  }

  private addCells(): void {
    let combinations = 0;
    let rows = 0;
    for (const combination of this.combinations()) {
      const seeds = combination ? this.seedsOf(combination.entry, combination.cell.setup) : [];
      combinations += Math.max(1, seeds.length);
      if (combinations > MAX_CELLS) {
        this.refuse([], `its lists come to more than ${MAX_CELLS} cells: make several campaigns of it`);
        return;
      }
      if (!combination) continue;
      const sizes = spread(combination.cell.size, seeds.length);
      seeds.forEach((seed, n) => {
        this.add(combination, seed, sizes[n]!);
      });
      rows += combination.cell.size;
    }
    if (rows > MAX_ROWS) {
      this.refuse([], `it comes to ${rows} injections, expected at most ${MAX_ROWS}: make several campaigns of it`);
    }
  }

  /** What the lists of each entry multiply to; undefined for a combination that was refused. */
  private *combinations(): Generator<Combination | undefined> {
    for (const [i, entry] of this.file.cells.entries()) yield* this.combinationsOf(entry, ['cells', i], 'cells');
    for (const [i, entry] of this.file.ladders.entries()) yield* this.combinationsOf(entry, ['ladders', i], 'ladders');
  }

  private *combinationsOf(
    entry: CellsEntry | LadderEntry,
    path: FilePath,
    list: 'cells' | 'ladders',
  ): Generator<Combination | undefined> {
    // Ladders compare rungs with one another: they stay as large as the file says.
    const scaled = this.paperScale && list === 'cells';
    for (const [named, setupPath] of each(entry.setup, [...path, 'setup'])) {
      const isKnown = this.setup(named, setupPath);
      if (!isKnown) yield undefined;
      const setup = (scaled && isKnown && this.catalogue.paperScale(named)) || named;
      for (const [fault, faultPath] of isKnown ? each(entry.fault, [...path, 'fault']) : []) {
        const size = this.size(entry.size, setup, fault, faultPath, [...path, 'size'], scaled);
        if (size === undefined) yield undefined;
        for (const [name, namePath] of size === undefined ? [] : each(entry.mechanism, [...path, 'mechanism'])) {
          const mechanism = this.mechanism(name, namePath);
          if (!mechanism) yield undefined;
          else {
            const cell = { setup, faultClass: fault, mechanism, mechanismName: name, size: size as number };
            if ('kind' in entry) yield* this.rungsOf(cell, entry, path, namePath);
            else yield { cell, entry, path: namePath };
          }
        }
      }
    }
  }

  private *rungsOf(
    cell: NewCell,
    entry: LadderEntry,
    path: FilePath,
    namePath: FilePath,
  ): Generator<Combination | undefined> {
    const { mechanism, mechanismName } = cell;
    const order = this.order(entry, mechanism, path, namePath);
    if (!order) yield undefined;
    const names = {
      enhancements: this.catalogue.enhancements(mechanism.recovery),
      checks: this.catalogue.checks,
    };
    // A name of its own: the same mechanism may have a ladder of enhancements besides.
    const ofChecks = order?.flat().every((name) => names.checks.includes(name));
    for (const [kind] of order ? each(entry.kind, path) : []) {
      const ladder = `${mechanismName} ${kind}${ofChecks ? ' of self-checks' : ''}`;
      for (const rung of rungs(kind, mechanism, order!, names)) {
        const { step, name } = rung;
        yield {
          cell: { ...cell, mechanism: rung.mechanism, rung: { ladder, step, name } },
          entry,
          path: namePath,
        };
      }
    }
  }

  /** The seeds of an entry's cells in a set-up: its own, else the file's. */
  private seedsOf(entry: Seeding, setup: string): DrawnSeed[] {
    const { seed = DEFAULT_SEED, seeds } = seedingOf(entry, this.file);
    const evaluation = this.evaluationSeeds(setup, seeds ?? 0);
    return seeds === undefined ? [{ seed }] : evaluation;
  }

  /** The seeds of fault-free runs of a set-up. */
  overheadSeeds(setup: string): DrawnSeed[] {
    const { seed = DEFAULT_SEED, seeds } = this.file;
    if (seeds !== undefined) return this.evaluationSeeds(setup, OVERHEAD_SEEDS);
    return Array.from({ length: OVERHEAD_SEEDS }, (_, n) => ({ seed: seed + n }));
  }

  private evaluationSeeds(setup: string, count: number): DrawnSeed[] {
    const images = this.imagesFor(setup);
    return Array.from({ length: count }, (_, n) => ({ seed: evaluationSeed(images, n), evaluation: n }));
  }

  private checkSeeds(entry: CellsEntry | LadderEntry, path: FilePath): void {
    this.requireOneSeed(entry, path);
    const { seeds = 1 } = seedingOf(entry, this.file);
    if (entry.size === 'paper' || entry.size >= seeds) return;
    this.refuse([...path, 'size'], `${entry.size} injections cannot be spread over ${seeds} evaluation seeds`);
  }

  private requireOneSeed({ seed, seeds }: Seeding, path: FilePath): void {
    if (seed === undefined || seeds === undefined) return;
    const why = "either 'seeds' evaluation seeds, or one development 'seed': leave one of them out";
    this.refuse([...path, 'seeds'], why);
  }

  private add({ cell, entry, path }: Combination, drawn: DrawnSeed, size: number): void {
    const options = drawOptionsOf({ ...this.file, ...given(entry) });
    const { size: _size, mechanismName: _name, ...identity } = { ...cell, seed: drawn.seed, options };
    const key = JSON.stringify(identity);
    if (this.seen.has(key)) {
      const { setup, faultClass, mechanism } = cell;
      const what = `${setup}, ${faultClass}, ${mechanismText(mechanism)}, ${seedText(drawn)}`;
      this.refuse(path, `this cell is there twice: ${what}`);
      return;
    }
    this.seen.add(key);
    const variant = variantOf(options);
    this.cells.push({
      ...{ id: this.cells.length + 1, ...cell, size, ...drawn },
      ...(variant !== undefined && { variant }),
      options,
    });
  }

  /** Whether the set-up is known and its images are there. */
  private setup(name: string, path: FilePath): boolean {
    const { setups } = this.catalogue;
    if (!setups.includes(name) && !this.catalogue.isByPath(name)) {
      this.refuse(path, noSuchName('set-up', name, setups));
      return false;
    }
    try {
      this.imagesFor(name);
    } catch (error) {
      if ((error as UserError).name !== 'UserError') throw error;
      const why = (error as UserError).message;
      // What is by path is named by its own message.
      this.refuse(path, this.catalogue.isByPath(name) ? why : `set-up '${name}': ${why}`);
      return false;
    }
    return true;
  }

  /** sha256 of the set-up's images by name. @throws UserError for one that is missing */
  private imagesFor(setup: string): Readonly<Record<string, string>> {
    if (!Object.hasOwn(this.imagesOf, setup)) {
      const images = this.catalogue.images(setup);
      Object.assign(this.images, images);
      this.imagesOf[setup] = Object.keys(images).sort();
    }
    return Object.fromEntries(this.imagesOf[setup]!.map((name) => [name, this.images[name]!]));
  }

  private mechanism(name: string, path: FilePath): Mechanism | undefined {
    // Names are the file's: 'constructor' must not find what every object has.
    const own = of(this.file.mechanisms, name);
    const recovery = own?.recovery ?? of(PLAIN, name);
    if (recovery === undefined) {
      const known = [...Object.keys(PLAIN), ...Object.keys(this.file.mechanisms)];
      return this.refuse(path, noSuchName('mechanism', name, [...new Set(known)]));
    }
    const enhancements = this.catalogue.enhancements(recovery);
    const isDefined = path[0] === 'mechanisms';
    const chosen = (key: 'enhance' | 'checks', all: readonly string[]) => {
      const names = own?.[key] ?? 'all';
      if (names === 'all') return all;
      const wrong = wrongName(
        key === 'checks' ? 'self-check' : 'enhancement',
        all,
        recovery,
        each(names, ['mechanisms', name, key]),
      );
      if (wrong) return isDefined ? this.refuse(wrong.path, wrong.why) : undefined;
      return all.filter((each) => (names as readonly string[]).includes(each));
    };
    const enhance = chosen('enhance', enhancements);
    const on = chosen('checks', this.catalogue.checks);
    if (!enhance || !on) return undefined;
    const checks = chosenChecks(on, this.catalogue.checks);
    return checks === undefined ? { recovery, enhance } : { recovery, enhance, checks };
  }

  private order(
    entry: LadderEntry,
    { recovery, enhance }: Mechanism,
    path: FilePath,
    namePath: FilePath,
  ): readonly (readonly string[])[] | undefined {
    const { checks } = this.catalogue;
    const namesCheck = entry.order?.flat().some((name) => checks.includes(name)) ?? false;
    if (enhance.length === 0 && !namesCheck) {
      return this.refuse(namePath, 'a ladder needs a mechanism that has enhancements');
    }
    if (!entry.order) return enhance.map((name) => [name]);
    const groups = entry.order.map((group, i) => each(group, [...path, 'order', i]));
    const known = [...this.catalogue.enhancements(recovery), ...checks];
    const wrong = wrongName('enhancement', known, recovery, groups.flat());
    return wrong ? this.refuse(wrong.path, wrong.why) : groups.map((group) => group.map(([name]) => name));
  }

  private size(
    size: CellsEntry['size'],
    setup: string,
    fault: FaultClass,
    faultPath: FilePath,
    sizePath: FilePath,
    paperScale: boolean,
  ): number | undefined {
    const classes = this.catalogue.faultClasses(setup);
    if (!classes.includes(fault)) {
      const why = `faults of class '${fault}' cannot be injected into set-up '${setup}'`;
      return this.refuse(faultPath, `${why}: expected ${classes.join(', ')}`);
    }
    const paper = PAPER_SIZES[fault];
    if (size !== 'paper') return paperScale ? (paper ?? size) : size;
    if (paper !== undefined) return paper;
    return this.refuse(sizePath, `the papers have no campaign of class '${fault}': give a number of injections`);
  }
}

/** The first name that the mechanism does not have, or that stands there twice. */
function wrongName(
  what: string,
  known: readonly string[],
  recovery: Mechanism['recovery'],
  names: readonly (readonly [string, FilePath])[],
): Problem | undefined {
  for (const [i, [name, path]] of names.entries()) {
    const list = known.length === 0 ? 'it has none' : `expected some of ${known.join(', ')}`;
    if (!known.includes(name)) {
      return { path, why: `${recovery} has no ${what} '${name}'${didYouMean(name, known)}: ${list}` };
    }
    const isSecond = names.findIndex(([other]) => other === name) < i;
    if (isSecond) return { path, why: `${what} '${name}' is there twice` };
  }
  return undefined;
}

/** An entry of a table by a name from outside. */
const of = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** A value or each of a list of them, with where it stands. */
function each<T extends string>(items: T | readonly T[], path: FilePath): (readonly [T, FilePath])[] {
  if (typeof items === 'string') return [[items, path]];
  return items.map((item, i) => [item, [...path, i]] as const);
}

/** The entry's own options. */
function given(entry: CellsEntry | LadderEntry): Partial<DrawOptions> {
  const options = Object.entries(drawOptionsOf(entry)).filter(([, value]) => value !== undefined);
  return Object.fromEntries(options) as Partial<DrawOptions>;
}

const drawOptionsOf = <T extends { readonly [K in keyof DrawOptions]?: unknown }>(from: T) => {
  const { triggers, code, memory, csr, interrupt, two } = from;
  return { triggers, code, memory, csr, interrupt, two } as Pick<T, keyof DrawOptions>;
};
