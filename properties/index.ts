/** What must always hold: scenarios, where they come from, and checks that print their reproducers. */
export { devices, faults, moments, quanta, type ScenarioBounds, scenarios, triggers } from './arbitraries.ts';
export * from './campaigns/index.ts';
export { type CheckOptions, check, checkScenarios, type ScenarioCheckOptions, setSuiteCommand } from './check.ts';
export {
  type Scenario,
  type ScenarioDevice,
  type ScenarioImages,
  type ScenarioSoftware,
  scenarioCommand,
  scenarioConfig,
  scenarioInputs,
} from './scenario.ts';
