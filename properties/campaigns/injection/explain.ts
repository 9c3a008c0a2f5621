/**
 * An injection's outcome as text for people: what was hit, when and how it was detected, each step of the recovery,
 * each VM's verdict. Says only what the result holds.
 */
import { formatFault, hex } from '../../../engine/index.ts';
import type { Detector, Hit, Injection, InjectionResult, Mechanism, Setup, UndetectedEffect } from './types.ts';

/** Lines without line ends. */
export function explain(
  result: InjectionResult,
  context: { readonly setup: Setup; readonly mechanism: Mechanism; readonly injection: Injection },
): string[] {
  const { setup, mechanism, injection } = context;
  const lines = [
    `${setup.name}: ${setup.summary}`,
    row('fault', formatFault(injection.fault)),
    ...(injection.second ? [row('then', formatFault(injection.second.fault))] : []),
    row('mechanism', mechanismText(mechanism)),
  ];
  if (result.effect === 'not-reached' || !result.hit) {
    return [...lines, row('effect', 'not reached: the run without a fault ends before the trigger')];
  }
  return [
    ...lines,
    ...hitLines('hit', result.hit),
    ...secondLines(result),
    ...effectLines(result),
    ...stepLines(result),
    ...result.vms.map(({ name, ok, reason }) => row(name, ok ? 'as in the golden run' : `NOT OK: ${reason}`)),
    ...equivalenceLines(result),
    row('verdict', verdict(result)),
    row('end', `moment ${grouped(result.endMoment)}, ${time(result.endTicks)}, digest ${result.endDigest}`),
  ];
}

const COLUMN = 14;
const row = (name: string, text: string): string => `  ${name.padEnd(COLUMN)}${text}`;
const more = (text: string): string => row('', text);

function mechanismText({ recovery, enhance, checks }: Mechanism): string {
  const list = (names: readonly string[]) => (names.length === 0 ? 'none' : names.join(' '));
  const self = checks === undefined ? '' : `, self-checks: ${list(checks)}`;
  return recovery === 'none' ? `none${self}` : `${recovery}, enhancements: ${list(enhance)}${self}`;
}

function hitLines(name: string, hit: Hit): string[] {
  const place = hit.symbol ?? 'no symbol';
  const whom = hit.vmid === 0 ? 'on behalf of no VM' : `on behalf of VM ${hit.vmid}`;
  return [
    row(name, hit.target),
    more(`hart ${hit.hart} at ${hex(hit.pc)} ${place}, before: ${hit.instruction}`),
    more(`moment ${grouped(hit.moment)}, ${time(hit.ticks)}, ${hit.region}, ${whom}`),
  ];
}

function secondLines({ second }: InjectionResult): string[] {
  if (!second) return [];
  const { hit, missed, k, recoveryLength } = second;
  if (!hit) return [row('second hit', `none: ${missed}`)];
  const of = recoveryLength === undefined ? '' : ` of the ${grouped(recoveryLength)} that the recovery alone takes`;
  const after =
    k === undefined ? [] : [more(`before HS- or M-mode instruction ${grouped(k)} after the detection${of}`)];
  return [...hitLines('second hit', hit), ...after];
}

function effectLines(result: InjectionResult): string[] {
  switch (result.effect) {
    case 'detected': {
      const fault = result.second?.hit ? 'the last fault before' : 'the fault';
      const after = `${grouped(result.detectionInstructions ?? 0)} instructions after ${fault}`;
      const text = result.detection === undefined ? [] : [more(result.detection)];
      return [row('detected', `${DETECTORS[result.detector ?? 'trap']}, ${after}`), ...text];
    }
    case 'sdc':
    case 'undetected-hang':
    case 'announced-error':
    case 'machine-death':
      return [row('effect', `${HARMS[result.effect]}: ${result.causeDetail ?? ''}`)];
    case 'latent':
      return [row('effect', 'latent: right output, but the state at the end is not the golden run’s')];
    default:
      return [row('effect', result.converged ? 'none: the run became the golden run again' : 'none')];
  }
}

const HARMS: Record<UndetectedEffect, string> = {
  sdc: 'silent corruption',
  'undetected-hang': 'undetected hang',
  'announced-error': 'announced error, not detected',
  'machine-death': 'machine death, not detected',
};

const DETECTORS: Record<Detector, string> = {
  trap: 'by an unexpected trap',
  panic: 'by a failed assertion',
  'code check': 'by the comparison of its code',
  hang: 'by the watchdog',
  mismatch: 'by a mismatch between replicas',
};

function stepLines({ steps, recoveryInstructions = 0, recoveryTicks = 0 }: InjectionResult): string[] {
  if (steps.length === 0) return [];
  const line = (name: string, instructions: number, ticks: number) =>
    `${name.padEnd(20)}${grouped(instructions).padStart(12)} instructions${time(ticks).padStart(14)}`;
  return [
    ...steps.map(({ name, instructions, ticks }, n) =>
      n === 0 ? row('recovery', line(name, instructions, ticks)) : more(line(name, instructions, ticks)),
    ),
    more(line('in all', recoveryInstructions, recoveryTicks)),
  ];
}

function equivalenceLines({ equivalence }: InjectionResult): string[] {
  if (!equivalence) return [];
  if (equivalence.equivalent) return [row('equivalence', 'the recovery changed nothing that a VM can see')];
  return equivalence.reasons.map((reason, n) =>
    n === 0 ? row('equivalence', `NOT EQUIVALENT: ${reason}`) : more(reason),
  );
}

function verdict(result: InjectionResult): string {
  const { effect, success, noVmf, cause, causeDetail, detections, fellBack } = result;
  if (effect !== 'detected') return effect;
  const notes = [
    ...(detections > 1 ? [`${detections} detections`] : []),
    ...(fellBack ? ['fell back to a reboot'] : []),
  ];
  const again = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  if (noVmf) return `recovered, no VM affected${again}`;
  const why = `${cause ?? 'unknown'}${causeDetail === undefined ? '' : `: ${causeDetail}`}`;
  return success ? `recovered, but ${why}${again}` : `recovery failed: ${why}${again}`;
}

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** Virtual time for people. */
function time(ticks: number): string {
  if (ticks < 1e3) return `${ticks} ns`;
  return ticks < 1e6 ? `${(ticks / 1e3).toFixed(1)} µs` : `${(ticks / 1e6).toFixed(3)} ms`;
}
