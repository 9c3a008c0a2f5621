import { MACHINE_BASE, MACHINE_TICKS } from './layout.gen';
export function ticks(): u64 { return load<u64>(MACHINE_BASE, MACHINE_TICKS); }
