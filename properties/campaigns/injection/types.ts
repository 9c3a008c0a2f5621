/**
 * One injection from plan to verdict, as plain data (design section 8): what a set-up is, what is injected when, and
 * what became of it. Campaigns store these, reports count them.
 */
import type { Fault, MachineConfig, PrivilegedModes, Ticks } from '../../../engine/index.ts';
import type { TimedInput } from '../../../replay/index.ts';

/**
 * A recovery mechanism and its enhancements. Selected without booting again, by writing the recovery block's options
 * (mechanism.ts): so all mechanisms run from the same state, and pairs across them are exact.
 */
export interface Mechanism {
  readonly recovery: 'none' | 'rehype' | 'nilihype';
  /** Enhancements that are on, by name (engine: FIXUPS), in the table's order. */
  readonly enhance: readonly string[];
  /**
   * Self-checks that are on in the whole run, by name (engine: CHECKS), in the table's order; all of them unless given.
   * Runs with other checks are other runs: their golden runs end elsewhere.
   */
  readonly checks?: readonly string[] | undefined;
}

/** How a VM's run is judged. Every VM of a set-up has one row. */
export interface VmCriterion {
  /** As its console lines are prefixed: `vm1`. */
  readonly name: string;
  readonly role: 'privvm' | 'appvm';
  /**
   * `output`: its console lines equal the golden run's. `reception`: it answers all but 10 % of the packets of the
   * outside sender in every window, and ends well. Both: the guest's own self-checks must hold (it reports status 0).
   * `console`: all that the console showed but for our own lines equals the golden run's, times in it left out
   * (observe.ts): an unmodified guest's, whose lines have no prefix.
   */
  readonly criterion: 'output' | 'reception' | 'console';
  /** Created by the toolstack after the time of injection: shows that a new VM can be made. */
  readonly createdLate: boolean;
}

/** The outside sender of a set-up with network: what `reception` criteria are judged by (reception.ts). */
export interface SenderPlan {
  /** Virtio slot of the network device whose cable leads outside. */
  readonly slot: number;
  /** VM whose answers count. */
  readonly vm: string;
  /** Window of the 10 % rule in ticks: the papers' second, scaled as the set-up is. */
  readonly windowTicks: Ticks;
  /** An answer that leaves later than this after its packet counts as lost. */
  readonly patienceTicks: Ticks;
}

/** A machine with its workload: everything but the fault and the mechanism. */
export interface Setup {
  readonly name: string;
  readonly summary: string;
  readonly vms: readonly VmCriterion[];
  /** The machine, the same for all mechanisms; `seed` varies device latencies, schedule and workload content. */
  readonly config: (seed: number) => MachineConfig;
  /** Inputs from outside that belong to the workload, in order of time: packets of the outside sender. */
  readonly inputs: (seed: number) => readonly TimedInput[];
  readonly sender?: SenderPlan;
  /** The run is a hang if it has not ended by then; ticks (ns of virtual time) after the golden run's end. */
  readonly graceTicks: number;
  /** How many times as long as usual it is; so much further apart are the snapshots of its golden run. */
  readonly scale?: number;
  /** A run without a fault that has not ended by then, virtual time, never will; a minute unless given. */
  readonly maxTicks?: number;
}

/** When a fault strikes. */
export type InjectionTrigger =
  /**
   * The paper's two levels: right before the k-th (1 = first) HS-mode instruction at or after virtual time `ticks`;
   * or of those in M-mode, or in both, as `of` says.
   */
  | { readonly kind: 'two-level'; readonly ticks: number; readonly k: number; readonly of?: PrivilegedModes }
  /** Right before the instruction that retires as moment + 1. */
  | { readonly kind: 'moment'; readonly moment: number }
  /**
   * Right before the n-th (1 = first) time after the hypervisor is up that a hart in HS-mode is about to execute
   * symbol+offset.
   */
  | { readonly kind: 'symbol'; readonly symbol: string; readonly offset: number; readonly n: number };

/** When the second of two faults strikes, in the run that the first one has hit. */
export type SecondTrigger =
  /** Counted from `ticks`, or from behind the first fault where that is later. */
  | Extract<InjectionTrigger, { readonly kind: 'two-level' }>
  /** Right before the k-th (1 = first) instruction in HS- or M-mode, of any hart, after the first detection's note. */
  | { readonly kind: 'detection'; readonly k: number }
  /**
   * The same within the recovery: `share` billionths of such instructions between the first detection and the note that
   * VMs are resumed, in the run with the first fault alone.
   */
  | { readonly kind: 'recovery'; readonly share: number };

export interface SecondFault {
  readonly trigger: SecondTrigger;
  readonly fault: Fault;
}

/** Memory of the hypervisor that faults are drawn from. */
export const MEMORY_KINDS = [
  ...(['data', 'heap', 'stack', 'frame-table', 'page-table'] as const),
  ...(['firmware-data', 'firmware-stack', 'pristine-image', 'handover'] as const),
] as const;
export type MemoryKind = (typeof MEMORY_KINDS)[number];

/** One planned fault, or two. */
export interface Injection {
  readonly trigger: InjectionTrigger;
  readonly fault: Fault;
  /** What a memory fault's byte was part of when it was drawn. */
  readonly memory?: MemoryKind;
  readonly second?: SecondFault;
}

/**
 * What a fault did, as results name it; harm without a detection from the least to the worst. How each is told from the
 * others: effect.ts.
 */
export const EFFECTS = [
  /** The trigger was never reached: counted apart, never a success. */
  'not-reached',
  /** Right output, right final state. */
  'non-manifested',
  /** Right output, no detector fired, but the final state differs from the golden run's. */
  'latent',
  /** No detector fired; what went wrong, a VM itself reports. */
  'announced-error',
  /** No detector fired; a VM, or the machine, never ends. */
  'undetected-hang',
  /** No detector fired; the machine stopped itself as failed while VMs were still at work. */
  'machine-death',
  /** Silent corruption: no detector fired, and an output is wrong without a word, or isolation is broken. */
  'sdc',
  'detected',
] as const;
export type Effect = (typeof EFFECTS)[number];

/** Harm that no detector saw: what the papers count as SDC. */
export const UNDETECTED = ['sdc', 'undetected-hang', 'announced-error', 'machine-death'] as const satisfies Effect[];
export type UndetectedEffect = (typeof UNDETECTED)[number];

/** Whether an effect is harm that no detector saw. */
export const isUndetected = (effect: Effect): effect is UndetectedEffect =>
  (UNDETECTED as readonly Effect[]).includes(effect);

/**
 * What noticed a failure first: an unexpected `trap`, the hypervisor's own assertion (`panic`), the comparison of its
 * code with the firmware's copy of it (`code check`), the watchdog (`hang`), or a `mismatch` of replicas.
 */
export const DETECTORS = ['trap', 'panic', 'code check', 'hang', 'mismatch'] as const;
export type Detector = (typeof DETECTORS)[number];

/** What happened to one VM, against the golden run. */
export interface VmOutcome {
  readonly name: string;
  readonly ok: boolean;
  /**
   * Why not: `output differs at line 3: …`, `did not finish`, `reception 71 % in the window from 120 ms`, `status 1`.
   */
  readonly reason?: string;
}

/**
 * A step of the recovery, from the notes. Lengths in instructions (all harts) and in ns of virtual time since the step
 * before.
 */
export interface RecoveryStep {
  readonly name: string;
  readonly instructions: number;
  readonly ticks: number;
}

/**
 * What the hart that a fault strikes at is executing, in the order of tables. Of Lazarus: a VM exit or an interrupt;
 * the choice of a vCPU; into a VM and out of it; nothing to run (the timer, the wait); a recovery; its beginning. Of
 * other hypervisors it is only known that it is `hypervisor`. `M-mode`: the firmware with the recovery block.
 */
export const REGIONS = [
  ...(['handler', 'scheduler', 'world switch', 'idle', 'recovery', 'boot'] as const),
  ...(['hypervisor', 'M-mode', 'user mode', 'guest'] as const),
] as const;
export type Region = (typeof REGIONS)[number];

export interface Hit {
  readonly moment: number;
  readonly ticks: number;
  readonly hart: number;
  readonly pc: number;
  /** `store_add+0x28`; undefined when pc is in no symbol. */
  readonly symbol?: string;
  /** The instruction that was next, disassembled. */
  readonly instruction: string;
  /**
   * What the bit belongs to: `x10`, `instruction ld a5,0(s3) becomes lw a5,0(s3)`, `domain vm1 .state`,
   * `heap block vcpu of vm2 +0x40`, `page table of vm1`.
   */
  readonly target: string;
  /** VMID on whose behalf the hypervisor ran; 0: none. */
  readonly vmid: number;
  /** What the hart was executing. */
  readonly region: Region;
}

/**
 * Equality of each VM across the recovery: memory at freeze against memory at resumption, registers at exit and entry.
 */
export interface EquivalenceSummary {
  readonly equivalent: boolean;
  readonly reasons: readonly string[];
}

export type FailureCause =
  | 'recovery not entered'
  | 'recovery failed'
  | 'failed again'
  | 'hang after recovery'
  | 'privvm failed'
  | 'new vm failed'
  | 'several vms affected'
  | 'one vm affected';

/** Where the second of two faults struck. */
export interface SecondResult {
  /** Missing: it never struck, and the run is the one with the first fault alone. */
  readonly hit?: Hit;
  readonly missed?: SecondMissed;
  /** Of one that was counted from the detection: the how many-th instruction in HS- or M-mode it struck before. */
  readonly k?: number;
  /** Such instructions between detection and resumption in the run with the first fault alone, of which k was drawn. */
  readonly recoveryLength?: number;
}

export const SECOND_MISSED = [
  'the first fault was not detected',
  'the recovery alone resumes nothing',
  'the run ended before',
] as const;
export type SecondMissed = (typeof SECOND_MISSED)[number];

/** What became of one injection. Three separate fields: effect, recovery, mechanism (the latter is the caller's). */
export interface InjectionResult {
  readonly effect: Effect;
  readonly hit?: Hit;
  /** Of injections of two faults, once the first has struck. */
  readonly second?: SecondResult;
  /** Detected only. */
  readonly detector?: Detector;
  /** Instructions of all harts between injection and first detection. */
  readonly detectionInstructions?: number;
  /** cause, pc, symbol or message of the detection, for people. */
  readonly detection?: string;
  /**
   * success: recovered, the new VM runs, at most one AppVM affected (set-ups with one AppVM: none). `noVmf`: success,
   * and no VM at all affected. Both false unless detected.
   */
  readonly success: boolean;
  readonly noVmf: boolean;
  /** Not a success, or an AppVM lost: why. */
  readonly cause?: FailureCause;
  readonly causeDetail?: string;
  /** Under NiLiHype: a microreset failed before it resumed a VM, and the second try rebooted. */
  readonly fellBack?: true;
  /** Detections in the run: 1 = recovered once and never failed again. */
  readonly detections: number;
  readonly steps: readonly RecoveryStep[];
  /** Sum over steps. */
  readonly recoveryInstructions?: number;
  readonly recoveryTicks?: number;
  readonly vms: readonly VmOutcome[];
  readonly vmsAffected: number;
  readonly equivalence?: EquivalenceSummary;
  /** Position and digest at the run's end: equal for equal injections, on every machine. */
  readonly endMoment: number;
  readonly endTicks: number;
  readonly endDigest: string;
  /** True when the run met the golden run's digest again and was not run further: the rest is known. */
  readonly converged: boolean;
}
