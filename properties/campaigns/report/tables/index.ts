/** All tables of a report, in the order in which they are read. */
import type { Report } from '../summarise.ts';
import { clustersTable, failureGroupsTable, internalErrorsTable } from './failures.ts';
import { alignmentTable, ladderTables, latencyTable, pairedTable } from './mechanisms.ts';
import {
  afterTable,
  causesTable,
  detectionTable,
  effectsTable,
  noVmfTable,
  successTable,
  undetectedTable,
  vmsTable,
} from './outcomes.ts';
import { checksTable, overheadTable } from './overhead.ts';
import { regionsTable } from './regions.ts';
import { seedsTable } from './seeds.ts';
import type { Table } from './table.ts';
import { secondsTable, targetsTable } from './targets.ts';

export { failuresTable } from './failures.ts';
export { ladderId } from './mechanisms.ts';
export type { Column, Table } from './table.ts';

/** Tables that have rows; a campaign without ladders has no ladder tables. */
export function tablesOf(report: Report): Table[] {
  return [
    effectsTable(report),
    undetectedTable(report),
    successTable(report),
    noVmfTable(report),
    seedsTable(report),
    targetsTable(report),
    secondsTable(report),
    vmsTable(report),
    regionsTable(report),
    detectionTable(report),
    latencyTable(report),
    ...ladderTables(report),
    pairedTable(report),
    alignmentTable(report),
    overheadTable(report),
    checksTable(report),
    causesTable(report),
    afterTable(report),
    clustersTable(report),
    failureGroupsTable(report),
    internalErrorsTable(report),
  ].filter(({ rows }) => rows.length > 0);
}
