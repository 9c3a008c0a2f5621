/**
 * `dejavm verify TRACE`: the file's structure, then a full replay, then, when the run holds a recovery, whether any VM
 * can tell. Damage is located; what is intact is replayed.
 */

import { NOTES, shellLine } from '../../../engine/index.ts';
import { type EquivalenceVerdict, verifyCheckpoints, vmEquivalence } from '../../../replay/index.ts';
import type { Trace } from '../../../traces/index.ts';
import { byteSize, counted, EXIT, type ExitCode, grouped } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';
import { runLimits } from './limits.ts';
import { openNamedTrace } from './open.ts';
import { replayText, replayWithProgress } from './replay.ts';
import { verdictText } from './verdict.ts';

export async function verifyCommand({
  args,
  flags,
  io,
}: CommandContext<'structureOnly' | 'golden' | 'maxMoment' | 'maxTime' | 'json'>): Promise<ExitCode> {
  const trace = openNamedTrace(args[0]!, io, { thorough: true, damageIsSaid: true });
  verifyCheckpoints(trace);
  const replay = flags.structureOnly ? undefined : replayWithProgress(trace, io, runLimits(flags));
  const golden = flags.golden === undefined ? undefined : openNamedTrace(flags.golden, io);
  // A part of the run says nothing about its recovery.
  const verdict = replay?.ok && replay.complete ? recoveryVerdict(trace, golden) : undefined;
  if (flags.json) {
    const { damage } = trace;
    const whole = { trace: trace.path, intact: !damage, damage: damage ?? null, replay: replay ?? null };
    io.out(toJson('verify', { ...whole, equivalence: verdict ?? null }));
  } else {
    const texts = [structureText(trace), ...(replay ? [replayText(replay, trace)] : [])];
    if (verdict) texts.push(`VM states before and after the recovery${judgedPart(trace)}:`, verdictText(verdict));
    io.out(`${texts.join('\n')}\n`);
  }
  if (replay && !replay.ok) {
    io.err(`dejavm: ${trace.path} diverged; reproduce with: ${shellLine(['dejavm', 'replay', trace.path])}\n`);
    return EXIT.difference;
  }
  if (trace.damage) return EXIT.damaged;
  return verdict && !verdict.equivalent ? EXIT.difference : EXIT.ok;
}

const DETECTIONS: readonly number[] = [NOTES.DETECTED_TRAP.code, NOTES.DETECTED_HANG.code];

/**
 * VM-state equivalence; undefined when nothing was recovered. @throws UserError for a golden run without a recovery to
 * judge
 */
function recoveryVerdict(trace: Trace, golden: Trace | undefined): EquivalenceVerdict | undefined {
  const recovered = trace.notes.some(({ code }) => DETECTIONS.includes(code));
  if (recovered || golden) return vmEquivalence(trace, golden);
  return undefined;
}

/** VMs are known by entering and leaving: one that did so only before a cut begins is not. */
const judgedPart = ({ header, first }: Trace): string =>
  header.cut ? `, of VMs that ran since moment ${grouped(first.moment)}, where this cut begins` : '';

function structureText(trace: Trace): string {
  const { damage } = trace;
  if (!damage) {
    const parts = [counted(trace.digests.length, 'digest'), counted(trace.checkpoints.length, 'checkpoint')];
    const end = trace.end ? '' : ', cut off without an end record';
    return `structure is intact: ${byteSize(trace.sizeBytes)}, ${parts.join(', ')}${end}`;
  }
  return [
    `DAMAGED (${damage.kind}) at byte ${damage.offset} of ${trace.sizeBytes}: ${damage.message}`,
    `  intact up to moment ${grouped(damage.lastGood.moment)}`,
  ].join('\n');
}
