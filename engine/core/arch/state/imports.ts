/** What TypeScript gives to the core: see ArchImports in engine/core/interface.ts. */

// @ts-ignore: decorator
@external("env", "mmioLoad")
export declare function mmioLoad(paddrLow: u32, sizeBytes: u32): u32;

// @ts-ignore: decorator
@external("env", "mmioStore")
export declare function mmioStore(paddrLow: u32, sizeBytes: u32): u32;

// @ts-ignore: decorator
@external("env", "deviceTick")
export declare function deviceTick(): void;
