/** A testbed that runs nothing: the databases that are fuzzed are about what is in them, not how it came there. */
import { NEXT_HART } from '../../engine/index.ts';
import { campaignCatalogue, type Testbed } from '../../properties/index.ts';

const BEGIN_TICKS = 100_000;
const END = { endTicks: 1_100_000, endMoment: 9, endDigest: '0x1' };

export const testbed: Testbed = {
  catalogue: campaignCatalogue,
  place({ when }) {
    const k = when.over === 'time' ? when.k : 1;
    return {
      trigger: { kind: 'two-level', ticks: BEGIN_TICKS + k, k },
      fault: { model: 'register', hart: NEXT_HART, register: 5, bit: k % 64 },
    };
  },
  open: async () => ({
    window: ({ setup, seed, checks }) => ({ setup, seed, checks, beginTicks: BEGIN_TICKS, ...END }),
    overhead: ({ setup, undoLog, checks, seed }) => {
      const counts = { hypervisorInstructions: 1000, machineInstructions: 70, totalInstructions: 9000, vmExits: 12 };
      return { setup, undoLog, ...(checks && { checks }), seed, ...counts };
    },
    run({ mechanism }, { trigger }) {
      const detected = trigger.kind === 'two-level' && trigger.k % 3 > 0;
      const success = detected && mechanism.recovery !== 'none';
      return {
        effect: detected ? 'detected' : 'sdc',
        ...(detected && { detector: 'panic', detection: 'trap 0x1, "store, add"' }),
        success,
        noVmf: success,
        detections: detected ? 1 : 0,
        steps: detected ? [{ name: 'freeze', instructions: 10, ticks: 12 }] : [],
        vms: [{ name: 'vm1', ok: success }],
        vmsAffected: success ? 0 : 1,
        endMoment: 9,
        endTicks: 1_000_000,
        endDigest: '0x2',
        converged: false,
      };
    },
  }),
};
