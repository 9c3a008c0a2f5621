/**
 * The one language in which people name places, state conditions and say moments, for the command line, the terminal UI
 * and debuggers: text to trees, trees to values on a machine at a moment, moments to positions of a trace.
 */
export { checkExpression, childrenOf } from './check.ts';
export { AbsentError } from './errors.ts';
export { addressOf, evaluate, holds, type Value } from './evaluate.ts';
export {
  type Addressed,
  addressText,
  type Context,
  locate,
  type MemoryPlace,
  type PhysicalRange,
  readPlace,
  virtualAt,
} from './memory.ts';
export { goToMoment } from './moment.ts';
export { formatMoment, type MomentBase, type MomentExpression, parseMomentText } from './moment-text.ts';
export { type FoundSymbol, findSymbol, noSuchSymbol } from './names.ts';
export { MAX_EXPRESSION, parseExpression } from './parse.ts';
export { MAX_PLACE_BYTES, type MachinePlace, resolvePlace } from './place.ts';
export { printExpression } from './print.ts';
export type {
  AccessBytes,
  AddressNode,
  BinaryNode,
  BinaryOperator,
  Expression,
  MemoryNode,
  RegisterNode,
  Space,
  Span,
  SymbolNode,
  UnaryOperator,
  VmField,
  VmNode,
  WithinNode,
} from './syntax.ts';
export { formatTime, formatTrigger, parseCount, parseTime, parseTrigger } from './trigger-text.ts';
