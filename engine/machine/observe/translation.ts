/**
 * How a virtual address translates, step by step: the core's own walk, asked to write down which table entries it reads
 * (privileged manual, "Virtual Address Translation Process" and "Two-Stage Address Translation").
 */
import { CONSTANTS, type Core, hartAddress, offsetOf, WALK_STEP } from '../../core/index.ts';
import type { AddressSpace, Translation, TranslationStep } from '../types.ts';

const ACCESS = { load: 0, store: 1, fetch: 2 } as const;
const STAGES = ['single', 'vs', 'g'] as const;
const CAUSES = ['page', 'access', 'guest-page'] as const;
/** What pmpEntryAt() says when no entry matches. */
const NO_ENTRY = 16;
/** S-mode that may read whatever is mapped: a debugger asks where an address leads, not who may go there. */
const ANY = 1 | CONSTANTS.MODE_SUM | CONSTANTS.MODE_MXR | CONSTANTS.MODE_GSTAGE_MXR | CONSTANTS.MODE_UNGUARDED;

/** See Machine.explainTranslation. */
export function explainTranslation(
  core: Core,
  hart: number,
  va: bigint,
  access: keyof typeof ACCESS,
  space: AddressSpace | undefined,
): Translation {
  const kind = ACCESS[access];
  const address = hartAddress(hart);
  const roots = space ? { satp: space.satp ?? 0n, vsatp: space.vsatp ?? 0n, hgatp: space.hgatp ?? 0n } : {};
  // The walk reads these registers and no cache; they are put back before anything else can.
  const before = Object.keys(roots).map((name) => [name, core.hart(hart, name)] as const);
  for (const [name, value] of Object.entries(roots)) core.setHart(hart, name, value);
  try {
    const isVirtual = space !== undefined && (space.vsatp !== undefined || space.hgatp !== undefined);
    const mode = space ? ANY | (isVirtual ? CONSTANTS.MODE_VIRT : 0) : core.arch.modeOfAccess(address, kind);
    core.setMachine('mmioData', BigInt.asUintN(64, va));
    const result = core.arch.explainTranslation(address, kind, mode);
    const steps = stepsOf(core);
    if (result === 0) return { steps, fault: faultOf(core, hart) };
    const entry = core.arch.pmpEntryAt(address);
    const pmp = { allowed: result === 1, ...(entry !== NO_ENTRY && { entry }) };
    return { steps, paddr: core.hart(hart, 'walkPaddr'), pmp };
  } finally {
    core.setMachine('walkLogCount', -1n);
    for (const [name, value] of before) core.setHart(hart, name, value);
  }
}

function stepsOf(core: Core): TranslationStep[] {
  const view = new DataView(core.memory.buffer, core.machineNumber('scratchHost'));
  return Array.from({ length: core.machineNumber('walkLogCount') }, (_, n) => {
    const step = n * WALK_STEP.sizeBytes;
    return {
      stage: STAGES[view.getUint32(step + offsetOf(WALK_STEP, 'stage'), true)]!,
      level: view.getUint32(step + offsetOf(WALK_STEP, 'level'), true),
      paddr: view.getBigUint64(step + offsetOf(WALK_STEP, 'paddr'), true),
      pte: view.getBigUint64(step + offsetOf(WALK_STEP, 'pte'), true),
    };
  });
}

function faultOf(core: Core, hart: number): NonNullable<Translation['fault']> {
  const cause = CAUSES[Number(core.hart(hart, 'walkCause'))]!;
  if (cause !== 'guest-page') return { cause };
  const implicit = (['none', 'read', 'write'] as const)[Number(core.hart(hart, 'walkImplicit'))]!;
  return { cause, gpa: core.hart(hart, 'walkGpa') << 2n, ...(implicit !== 'none' && { implicit }) };
}
