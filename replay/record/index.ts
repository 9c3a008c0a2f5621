/**
 * Recording: a machine runs, everything that enters it is written down, and planned inputs come when their triggers do.
 */
export { openUdpNetwork, type UdpCable } from './live-network.ts';
export { record } from './record.ts';
export { type DisplacedInput, type RecordAnewOptions, type RecordAnewResult, recordAnew } from './record-anew.ts';
export { findExecution, findInstruction, placeOf, type SearchEnd, type TriggerSearch } from './trigger.ts';
