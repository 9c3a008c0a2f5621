/** What must always hold: scenarios, where they come from, and checks that print their reproducers. */
export { devices, faults, moments, quanta, type ScenarioBounds, scenarios, triggers } from './arbitraries.ts';
export * from './campaign/index.ts';
export { type CheckOptions, check, checkScenarios, type ScenarioCheckOptions, setSuiteCommand } from './check.ts';
export * from './injection/index.ts';
export { csvReport, htmlReport, markdownReport, type Report, summarise, textReport } from './report/index.ts';
export { type Rate, rateOf } from './report/statistics.ts';
export {
  type Scenario,
  type ScenarioDevice,
  type ScenarioImages,
  type ScenarioSoftware,
  scenarioCommand,
  scenarioConfig,
  scenarioInputs,
} from './scenario.ts';
