/**
 * Effects of the ISA table to wasm: in which order an instruction reads, writes, calls and goes on. Derived from the
 * row's effect, whatever instruction it is; where things are is the site's.
 */
import {
  ACCESSES,
  type Effect,
  type Expression,
  expressionsOf,
  type Fact,
  factsOf,
  HELPERS,
  isPure,
  parts,
} from '../../isa/index.ts';
import { CONSTANTS, HART, offsetOf } from '../layout/index.ts';
import type { MemoryOp } from '../wasm/index.ts';
import { emitCondition, emitValue, type OperandAccess } from './expression.ts';
import type { Site } from './site.ts';
import { type CacheName, emitAddend, emitProbe } from './translation.ts';

type Kind<K extends Expression['kind']> = Expression & { readonly kind: K };

/** Emits an instruction's effect. Every path ends in one of the site's ways to go on. */
export function emitEffect(site: Site, effect: Effect): void {
  const { code } = site;
  const access = accessOf(site);
  if (site.redo && !isChoice(effect) && expressionsOf(effect).some(callsArchitecture)) {
    site.redo();
    return;
  }
  switch (effect.kind) {
    case 'nothing':
      site.next();
      return;
    case 'set':
      emitSet(site, effect.value);
      return;
    case 'store':
      emitStore(site, effect);
      return;
    case 'branch':
      emitCondition(code, effect.condition, access);
      code.begin('if');
      emitGoto(site, effect.target);
      code.end();
      site.next();
      return;
    case 'jump':
      emitJump(site, effect.target);
      return;
    case 'either':
      emitCondition(code, effect.condition, access);
      code.begin('if');
      emitEffect(site, effect.then);
      code.end();
      emitEffect(site, effect.otherwise);
      return;
    case 'attempt':
      emitAttempt(site, effect);
      return;
    case 'run':
      emitValue(code, effect.call, access);
      code.op('drop');
      finish(site, factsOf(effect.call));
      return;
  }
}

/** Whether the effect is one of several: each is asked by itself what it calls. */
const isChoice = ({ kind }: Effect) => kind === 'either' || kind === 'attempt';

const callsArchitecture = (e: Expression) => parts(e).some((part) => part.kind === 'call' && !isPure(part.helper));

/** Goes on after a part that may do `facts`, which may have asked to end the slice. */
function finish(site: Site, facts: readonly Fact[]): void {
  if (facts.includes('endSlice')) {
    site.code.get(site.locals.resync);
    site.code.begin('if');
    site.leave();
    site.code.end();
  }
  site.next();
}

/** rd = value. A load is emitted twice: with the inlined lookup's hit, and with the slow path. */
function emitSet(site: Site, value: Expression): void {
  const { code } = site;
  const write = (access: OperandAccess) => site.writeRd(() => emitValue(code, value, access));
  const access = accessOf(site);
  const load = parts(value).find((e) => e.kind === 'load');
  if (load) {
    emitLookup(site, 'read', load, access);
    code.begin('if');
    write({ ...access, load: (node) => emitLoadHit(site, node) });
    site.next();
    code.end();
    if (site.redo) {
      site.redo();
      return;
    }
    write({ ...access, load: (node) => emitLoadMiss(site, node) });
  } else {
    write(access);
  }
  finish(site, parts(value).flatMap(factsOf));
}

/** The address into its local, and whether the cache translates it onto the stack. */
function emitLookup(
  { code, locals }: Site,
  cache: CacheName,
  { address, bytes }: { readonly address: Expression; readonly bytes: number },
  access: OperandAccess,
): void {
  emitValue(code, address, access);
  code.set(locals.address);
  emitProbe(code, cache, bytes, { ...locals, context: locals.dataContext });
}

/** Leaves the linear-memory address of an access that the cache translates on the stack. */
function emitHostAddress({ code, locals }: Site, cache: CacheName): void {
  code.get(locals.address).op('i32.wrap_i64');
  emitAddend(code, cache, locals.entry);
  code.op('i32.add');
}

function emitLoadHit(site: Site, { bytes, signed }: Kind<'load'>): void {
  emitHostAddress(site, 'read');
  const name: MemoryOp =
    bytes === 8 ? 'i64.load' : (`i64.load${(bytes * 8) as 8 | 16 | 32}_${signed ? 's' : 'u'}` as const);
  site.code.memory(name);
}

function emitLoadMiss(site: Site, { bytes, signed }: Kind<'load'>): void {
  const { code, locals, arch } = site;
  site.beforeCall(ACCESSES.load.may);
  code.get(locals.hart).get(locals.address).i32(bytes).call(arch.index('loadSlow')).set(locals.value);
  emitAfterCall(site, ACCESSES.load.may);
  code.get(locals.value);
  if (signed && bytes !== 8) code.op(`i64.extend${(bytes * 8) as 8 | 16 | 32}_s`);
}

function emitStore(site: Site, effect: Effect & { kind: 'store' }): void {
  const { code, locals, arch } = site;
  const access = accessOf(site);
  const { bytes } = effect;
  emitLookup(site, 'write', effect, access);
  code.begin('if');
  emitHostAddress(site, 'write');
  emitValue(code, effect.value, access);
  code.memory(bytes === 8 ? 'i64.store' : `i64.store${(bytes * 8) as 8 | 16 | 32}`);
  site.next();
  code.end();
  if (site.redo) {
    site.redo();
    return;
  }
  site.beforeCall(ACCESSES.store.may);
  code.get(locals.hart).get(locals.address);
  emitValue(code, effect.value, access);
  code.i32(bytes).call(arch.index('storeSlow'));
  emitAfterCall(site, ACCESSES.store.may);
  finish(site, ACCESSES.store.may);
}

/** rd = candidate when it is accepted. */
function emitAttempt(site: Site, effect: Effect & { kind: 'attempt' }): void {
  const { code, locals } = site;
  const access = accessOf(site);
  emitValue(code, effect.candidate, access);
  code.set(locals.value);
  emitCondition(code, effect.accept, access);
  code.begin('if');
  site.writeRd(() => code.get(locals.value));
  site.next();
  code.end();
  emitEffect(site, effect.otherwise);
}

/** pc = target, without link. */
function emitGoto(site: Site, target: Expression): void {
  if (isPcPlusImmediate(target)) {
    site.branch();
    return;
  }
  emitValue(site.code, target, accessOf(site));
  site.code.set(site.locals.target);
  site.jump();
}

/** A jump reads its target's operands before it writes rd, which may be one of them. */
function emitJump(site: Site, target: Expression): void {
  const link = () => site.writeRd(() => site.nextPc());
  if (isPcPlusImmediate(target)) {
    link();
    site.branch();
    return;
  }
  emitValue(site.code, target, accessOf(site));
  site.code.set(site.locals.target);
  link();
  site.jump();
}

const isPcPlusImmediate = (e: Expression): boolean =>
  e.kind === 'binary' && e.op === 'add' && e.a.kind === 'pc' && e.b.kind === 'imm';

/** Operands and registers from the site, helpers by import. Loads need a way of their own. */
function accessOf(site: Site): OperandAccess {
  const { code, locals } = site;
  return {
    register: ({ name }) => site.register(name),
    operand: ({ kind }) => (kind === 'pc' ? site.pc() : site.operand(kind)),
    state: ({ name }) => {
      code.get(locals.hart).memory('i64.load32_u', offsetOf(HART, name));
    },
    candidate: () => {
      code.get(locals.value);
    },
    load: () => {
      throw new Error('codegen: a load outside of a register write');
    },
    call: (node) => emitCall(site, node),
  };
}

function emitCall(site: Site, { helper, args }: Kind<'call'>): void {
  const { code, locals, arch } = site;
  const facts: readonly Fact[] = HELPERS[helper].may;
  if (!isPure(helper)) site.beforeCall(facts);
  code.get(locals.hart);
  for (const argument of args) emitValue(code, argument, accessOf(site));
  code.call(arch.index(helper));
  if (isPure(helper)) return;
  code.set(locals.value);
  emitAfterCall(site, facts);
  code.get(locals.value);
}

/** HART.resync into its local when the callee may have set it; a redirection abandons the instruction. */
function emitAfterCall(site: Site, facts: readonly Fact[]): void {
  const { code, locals } = site;
  site.afterCall(facts);
  const mayRedirect = facts.includes('trap') || facts.includes('redirect');
  if (!mayRedirect && !facts.includes('endSlice')) return;
  code.get(locals.hart).memory('i32.load', offsetOf(HART, 'resync')).set(locals.resync);
  if (!mayRedirect) return;
  code.get(locals.resync).i32(CONSTANTS.RESYNC_PC).op('i32.and');
  site.abandonIf();
}
