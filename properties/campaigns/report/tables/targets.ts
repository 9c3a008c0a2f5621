/** Tables by what was hit, and of injections of two faults. */
import { grouped, percent, ratePercent } from '../format.ts';
import { intervalNote } from '../intervals.ts';
import type { Report } from '../summarise.ts';
import { number, ours, type Table, text, wide } from './table.ts';

/** Outcomes by CSR, kind of memory, interrupt line and effect, kind of device, classes of two faults. */
export function targetsTable(report: Report): Table {
  return {
    id: 'targets',
    title: 'By what was hit',
    columns: [
      ...[text('set-up'), text('fault'), wide('target'), text('mechanism')],
      ...[number('injected'), number('harm\nunseen'), number('latent'), number('detected')],
      ...[number('success of\ndetected'), number('noVMF of\ndetected')],
    ],
    rows: report.targets.map(({ setup, faultClass, target, mechanism, injected, ...rates }) => {
      const { harmUnseen, latent, detected, success, noVmf } = rates;
      const shares = [harmUnseen, latent, detected].map(({ share }) => percent(share));
      const good = [ratePercent(success), percent(noVmf.share)];
      return ours(setup, faultClass, target, mechanism, grouped(injected), ...shares, ...good);
    }),
    notes: [`${intervalNote(report)} Harm unseen: something went wrong and no detector fired.`],
  };
}

/** Whether the second fault struck, and what became of the runs that both struck. */
export function secondsTable(report: Report): Table {
  return {
    id: 'seconds',
    title: 'Two faults in one run',
    columns: [
      ...[text('set-up'), text('fault'), text('mechanism'), number('first\nstruck')],
      ...[number('first not\ndetected'), number('no\nrecovery'), number('run ended\nfirst')],
      ...[number('both\nstruck'), number('detected'), number('success of\ndetected'), number('noVMF of\ndetected')],
      number('fell\nback'),
    ],
    rows: report.seconds.map(({ setup, faultClass, mechanism, first, missed, both, ...rates }) => {
      const { detected, success, noVmf, fellBack } = rates;
      const shares = [percent(detected.share), ratePercent(success), percent(noVmf.share), percent(fellBack.share)];
      const counts = [first, ...missed.map(({ count }) => count), both].map(grouped);
      return ours(setup, faultClass, mechanism, ...counts, ...shares);
    }),
    notes: [
      `${intervalNote(report)} Rates are of the runs that both faults struck. Where the second never struck, because the first was ` +
        'not detected, its recovery resumed nothing, or the run was over before, the tables above count the outcome of the ' +
        'first fault alone.',
    ],
  };
}
