/**
 * The state that `show` was asked for, from a machine at a moment, as plain data: what `--json` prints and what text is
 * made from. Changes nothing in the machine.
 */
import {
  didYouMean,
  listVms,
  type Machine,
  type MachineSymbols,
  readLocks,
  readSchedule,
  summariseVm,
  trapLoops,
  UserError,
  type VmList,
} from '../../../engine/index.ts';
import { type Context, checkExpression, evaluate, type InputsHere, type Value } from '../../../replay/index.ts';
import { UsageError } from '../../base/index.ts';
import { registerFile } from '../../panels/index.ts';
import { whereIs } from '../where.ts';
import { type ShownCode, type ShownMemory, type ShownWalk, showCode, showMemory, showWalk } from './places.ts';
import { type Part, type PlaceRequest, SECTIONS, type ShowRequest } from './request.ts';

/** How much of it. */
export interface ShowOptions {
  /** Registers of this hart only. */
  readonly hart: number | undefined;
  /** Of memory, for places of any size. */
  readonly bytes: number | undefined;
}

export type Shown = ReturnType<typeof collect>;

/** @throws UserError for a hart, a symbol, a VM or an address that is not there */
export function collect(context: Context, here: InputsHere, request: ShowRequest, options: ShowOptions) {
  const { machine, symbols } = context;
  const has = (part: Part) => request.parts.has(part);
  const list = listVms(machine, symbols.hypervisor);
  const places = request.places.map((place) => showPlace(context, place, options));
  return {
    moment: machine.moment,
    ticks: machine.ticks,
    inputs: here,
    ...(has('where') && { where: { harts: whereIs(machine, symbols).harts, trapLoops: trapLoops(machine) } }),
    ...((has('regs') || has('float') || has('csr')) && { registers: registersOf(machine, request, options) }),
    ...(has('vms') && { vms: vmsOf(list, symbols) }),
    ...(has('locks') && { locks: readLocks(machine, symbols.hypervisor, list) }),
    ...(has('sched') && { sched: readSchedule(machine, symbols.hypervisor, list) }),
    ...(places.length > 0 && { places }),
  };
}

function registersOf(machine: Machine, { parts }: ShowRequest, { hart: only }: ShowOptions) {
  const { harts } = machine.config;
  if (only !== undefined && only >= harts) {
    throw new UsageError(`there is no hart ${only}: this machine has harts 0 to ${harts - 1}`);
  }
  const next = machine.next().hart;
  const files = {
    regs: registerFile(machine, 'integer'),
    float: registerFile(machine, 'float'),
    csr: registerFile(machine, 'csr'),
  };
  const integers = new Set(files.regs[0]!.keys());
  return Array.from({ length: harts }, (_, hart) => hart)
    .filter((hart) => only === undefined || hart === only)
    .map((hart) => {
      const { mode, waiting, vmid } = machine.hart(hart);
      const values = (['regs', 'float', 'csr'] as const)
        .filter((part) => parts.has(part))
        .flatMap((part) => [...files[part][hart]!].filter(([name]) => part === 'regs' || !integers.has(name)));
      return { hart, next: hart === next, mode, waiting, vmid, registers: Object.fromEntries(values) };
    });
}

function vmsOf({ source, problems, vms }: VmList, symbols: MachineSymbols) {
  return {
    source,
    problems,
    vms: vms.map((vm) => {
      const { state, hart, pc } = summariseVm(vm);
      return {
        ...{ vmid: vm.vmid, name: vm.name, state, hgatp: vm.hgatp },
        ...(hart !== undefined && { hart }),
        ...(pc !== undefined && { pc }),
        ...(pc !== undefined && symbols.codeAt('VS', pc, vm.vmid)),
      };
    }),
  };
}

/** A place of the command line with what is there. */
export type ShownPlace =
  | ({ readonly kind: 'mem'; readonly place: string } & ShownMemory)
  | ({ readonly kind: 'dis'; readonly place: string } & ShownCode)
  | ({ readonly kind: 'walk'; readonly place: string } & ShownWalk)
  | { readonly kind: 'value'; readonly place: string; readonly value: Value };

function showPlace(context: Context, { kind, text, expression }: PlaceRequest, { bytes }: ShowOptions): ShownPlace {
  if (kind !== 'value') checkExpression(expression, context, text);
  if (kind === 'mem') return { kind, place: text, ...showMemory(context, expression, bytes) };
  if (kind === 'dis') return { kind, place: text, ...showCode(context, expression) };
  if (kind === 'walk') return { kind, place: text, ...showWalk(context, expression) };
  try {
    checkExpression(expression, context, text);
    return { kind, place: text, value: evaluate(expression, context) };
  } catch (error) {
    const guess = expression.kind === 'symbol' && error instanceof UserError ? didYouMean(text, SECTIONS) : '';
    if (guess === '') throw error;
    throw new UsageError(`there is no '${text}' to show${guess}, and ${(error as Error).message}`);
  }
}
