/** VM-state equivalence as text for people: one line per VM, then why not, if not. */
import type { EquivalenceVerdict, VmVerdict } from '../../../replay/index.ts';
import { counted, grouped, hex, table } from '../../base/index.ts';

const MAX_DIFFERENCES = 8;

/** The verdict of `vmEquivalence`, ready to print. */
export function verdictText(verdict: EquivalenceVerdict): string {
  const rows = verdict.vms.map((vm) => [`  ${vm.name}`, ...columns(vm)]);
  const lines = [table(rows), ...verdict.vms.flatMap(differences)];
  if (verdict.equivalent) lines.push('  EQUIVALENT: the recovery changed nothing that a VM can see');
  else lines.push('  NOT EQUIVALENT:', ...verdict.reasons.map((reason) => `    ${reason}`));
  return lines.join('\n');
}

const RESUMED: Record<VmVerdict['resumedAs'], string> = {
  unchanged: 'resumed exactly as it was left',
  completed: 'resumed behind its hypercall, with the answer',
  unknown: 'resumed, but its vCPUs cannot be told apart',
  changed: 'resumed CHANGED',
  'not-resumed': 'not resumed',
};

function columns(vm: VmVerdict): string[] {
  const memory = `${counted(vm.pagesCompared, 'page')} ${vm.memoryEqual ? 'equal' : 'DIFFER'}`;
  const whose = vm.vcpusCompared > 1 ? ` of ${vm.vcpusCompared} vCPUs` : '';
  const registers = `registers${whose} ${vm.registersEqual ? 'equal' : 'DIFFER'}`;
  const output =
    vm.outputEqual === undefined ? '' : vm.outputEqual ? 'output as in the golden run' : 'output DIFFERS from golden';
  const moments =
    vm.exitMoment === undefined || vm.entryMoment === undefined
      ? ''
      : `left ${grouped(vm.exitMoment)}, entered ${grouped(vm.entryMoment)}`;
  if (vm.resumedAs === 'not-resumed')
    return [RESUMED[vm.resumedAs], vm.survived ? 'it had finished' : 'LOST', '', output];
  return [`${RESUMED[vm.resumedAs]} (${moments})`, registers, memory, output];
}

function differences(vm: VmVerdict): string[] {
  const all = [
    ...vm.registerDifferences.map(
      ({ vcpu, name, before, after }) =>
        [vcpu === undefined ? name : `vCPU ${hex(vcpu)} ${name}`, before, after] as const,
    ),
    ...vm.memoryDifferences.map((at) => [`gpa ${hex(at.gpa)}`, at.before, at.after] as const),
  ];
  const lines = all
    .slice(0, MAX_DIFFERENCES)
    .map(([where, before, after]) => `    ${vm.name} ${where}: ${hex(before)} -> ${hex(after)}`);
  if (all.length > lines.length) lines.push(`    and ${all.length - lines.length} more`);
  return lines;
}
