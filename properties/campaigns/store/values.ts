/**
 * What may stand in the columns of a campaign's database, as zod schemas: results, injections, cells, identity. A
 * database is a file from outside; nothing in it is believed before it has passed here. Relies on the types of types.ts
 * and of injection/types.ts, with which the compiler compares each schema.
 */
import { z } from 'zod';
import { type PrivilegedModes, readPlannedFault } from '../../../engine/index.ts';
import {
  DETECTORS,
  EFFECTS,
  type EquivalenceSummary,
  type Hit,
  type Injection,
  type InjectionResult,
  MEMORY_KINDS,
  type Mechanism,
  RECOVERY_SHARES,
  REGIONS,
  type RecoveryStep,
  SECOND_MISSED,
  type SecondFault,
  type SecondResult,
  type VmOutcome,
} from '../injection/index.ts';
import { type CampaignIdentity, type GoldenEnds, MAX_CELL_SIZE, MAX_SEEDS } from '../plan/index.ts';
import { type CampaignCell, FAULT_CLASSES, type OverheadRow } from '../types.ts';

/** An object with exactly the fields of T: the compiler complains of one that is missing or too many. */
const exactly =
  <T>() =>
  <S extends { readonly [K in keyof Required<T>]: z.ZodType } & { readonly [K in Exclude<keyof S, keyof T>]: never }>(
    shape: S,
  ) =>
    z.strictObject(shape);

const count = z.int().min(0);
const text = z.string();
/** Of golden runs as 0x…, of results as digits alone. */
const digest = z.string().regex(/^(0x)?[0-9a-f]{1,16}$/);
/** An address as a number: exact up to 2^53, and near enough for a run that went astray above. */
const address = z
  .number()
  .min(0)
  .max(2 ** 64);

const mechanism = exactly<Mechanism>()({
  recovery: z.enum(['none', 'rehype', 'nilihype']),
  enhance: z.array(text).readonly(),
  checks: z.array(text).readonly().optional(),
}) satisfies z.ZodType<Mechanism>;

const modes = z.enum(['hypervisor', 'machine', 'privileged']) satisfies z.ZodType<PrivilegedModes>;

const twoLevel = z.strictObject({
  kind: z.literal('two-level'),
  ticks: count,
  k: z.int().min(1),
  of: modes.exactOptional(),
});
const fault = z.custom<Injection['fault']>((value) => isFault(value), 'not a fault that dejavm knows');

const second = exactly<SecondFault>()({
  trigger: z.union([twoLevel, z.strictObject({ kind: z.literal('recovery'), share: count.max(RECOVERY_SHARES - 1) })]),
  fault,
}) satisfies z.ZodType<SecondFault>;

/** Campaigns draw two-level triggers only, and shares of a recovery. */
export const injection = exactly<Injection>()({
  trigger: twoLevel,
  fault,
  memory: z.enum(MEMORY_KINDS).exactOptional(),
  second: second.exactOptional(),
}) satisfies z.ZodType<Injection>;

const isFault = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && readPlannedFault(value as Record<string, unknown>) !== undefined;

const hit = exactly<Hit>()({
  moment: count,
  ticks: count,
  hart: count,
  pc: address,
  symbol: text.exactOptional(),
  instruction: text,
  target: text,
  vmid: count,
  region: z.enum(REGIONS),
}) satisfies z.ZodType<Hit>;

const secondResult = exactly<SecondResult>()({
  hit: hit.exactOptional(),
  missed: z.enum(SECOND_MISSED).exactOptional(),
  k: z.int().min(1).exactOptional(),
  recoveryLength: count.exactOptional(),
}).refine(({ hit, missed }) => (hit === undefined) !== (missed === undefined)) satisfies z.ZodType<SecondResult>;

const step = exactly<RecoveryStep>()({
  name: text,
  instructions: z.int(),
  ticks: z.int(),
}) satisfies z.ZodType<RecoveryStep>;

const vm = exactly<VmOutcome>()({
  name: text,
  ok: z.boolean(),
  reason: text.exactOptional(),
}) satisfies z.ZodType<VmOutcome>;

const equivalence = exactly<EquivalenceSummary>()({
  equivalent: z.boolean(),
  reasons: z.array(text).readonly(),
}) satisfies z.ZodType<EquivalenceSummary>;

const CAUSES = [
  ...(['recovery not entered', 'recovery failed', 'failed again', 'hang after recovery'] as const),
  ...(['privvm failed', 'new vm failed', 'several vms affected', 'one vm affected'] as const),
] as const;

export const result = exactly<InjectionResult>()({
  effect: z.enum(EFFECTS),
  hit: hit.exactOptional(),
  second: secondResult.exactOptional(),
  detector: z.enum(DETECTORS).exactOptional(),
  detectionInstructions: z.int().exactOptional(),
  detection: text.exactOptional(),
  success: z.boolean(),
  noVmf: z.boolean(),
  cause: z.enum(CAUSES).exactOptional(),
  causeDetail: text.exactOptional(),
  fellBack: z.literal(true).exactOptional(),
  detections: count,
  steps: z.array(step).readonly(),
  recoveryInstructions: z.int().exactOptional(),
  recoveryTicks: z.int().exactOptional(),
  vms: z.array(vm).readonly(),
  vmsAffected: count,
  equivalence: equivalence.exactOptional(),
  endMoment: count,
  endTicks: count,
  endDigest: digest,
  converged: z.boolean(),
}).refine(
  ({ effect, success, noVmf, vms, vmsAffected }) =>
    (effect === 'detected' || !success) && (success || !noVmf) && vmsAffected <= Math.max(1, vms.length),
  'its fields contradict each other',
) satisfies z.ZodType<InjectionResult>;

export const cell = exactly<CampaignCell>()({
  id: z.int().min(1),
  setup: text,
  faultClass: z.enum(FAULT_CLASSES),
  mechanism,
  mechanismName: text.exactOptional(),
  rung: z.strictObject({ ladder: text, step: count, name: text }).exactOptional(),
  size: z.int().min(1).max(MAX_CELL_SIZE),
  seed: count,
  evaluation: count.max(MAX_SEEDS - 1).exactOptional(),
  variant: text.exactOptional(),
}) satisfies z.ZodType<CampaignCell>;

export const golden = exactly<GoldenEnds>()({
  setup: text,
  seed: count,
  checks: z.array(text).readonly().optional(),
  beginTicks: count,
  endTicks: count,
  endMoment: count,
  endDigest: digest,
}) satisfies z.ZodType<GoldenEnds>;

/** A mechanism's checks as they stand in a column, and back: no check is called `all`. */
export const checksColumn = (checks: Mechanism['checks']): string => checks?.join(',') ?? 'all';
export const checksOf = (column: string): Pick<Mechanism, 'checks'> => {
  if (column === 'all') return {};
  return { checks: column === '' ? [] : column.split(',') };
};

export const overhead = exactly<OverheadRow>()({
  setup: text,
  undoLog: z.boolean(),
  checks: z.array(text).readonly().optional(),
  seed: count,
  hypervisorInstructions: count,
  machineInstructions: count,
  totalInstructions: count,
  vmExits: count,
}) satisfies z.ZodType<OverheadRow>;

export const identity = exactly<CampaignIdentity>()({
  name: text,
  plan: text,
  planHash: text,
  toolVersion: text,
  engineBehaviour: z.int(),
  draws: z.int(),
  images: z.record(text, text),
  imagesOf: z.record(text, z.array(text).readonly()),
}) satisfies z.ZodType<CampaignIdentity>;

/** The process that works on a database. */
export interface Holder {
  readonly pid: number;
  readonly started: string;
}

/** A process number is small; 0 and below would mean groups of processes. */
export const holder = exactly<Holder>()({
  pid: z
    .int()
    .min(1)
    .max(2 ** 31 - 1),
  started: text,
}) satisfies z.ZodType<Holder>;
